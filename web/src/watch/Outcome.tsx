import { Link } from 'wouter';
import { Failure } from '../ui/Feedback';
import type { FullInvoice } from './InvoicePage';
import { DUPLICATE } from './words';

/** What an ended extraction asks of the person: nothing when all is well. */
export function Outcome({ invoice }: { invoice: FullInvoice }) {
  const { duplicateOf, failure, checks, testDocument } = invoice;
  if (duplicateOf) {
    return (
      <div className="card stack" role="alert">
        <p>
          Esta compra já está nas suas notas. <span className="muted">{DUPLICATE[duplicateOf.reason]}</span>
        </p>
        {duplicateOf.invoice && (
          <p>
            <Link className="button primary" href={`/notas/${duplicateOf.invoice.id}`}>
              Ver a existente
            </Link>
          </p>
        )}
      </div>
    );
  }
  if (failure) return <Failure>{failure.message}</Failure>;
  const failed = checks.filter((c) => !c.passed).length;
  return (
    <>
      {testDocument && <p className="card warn">Esta nota é um teste do sistema da loja e não tem valor fiscal.</p>}
      {invoice.status === 'NEEDS_REVIEW' && (
        <p className="card warn">
          {failed === 1 ? 'Um valor não fecha.' : `${failed} valores não fecham.`} Confira os itens com a nota de papel.
        </p>
      )}
    </>
  );
}

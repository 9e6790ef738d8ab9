import { useEffect, useRef, useState } from 'react';
import { useMutation, useQuery, type CombinedError } from 'urql';
import { Link, useLocation } from 'wouter';
import { explain } from '../app/errors';
import { NotFound } from '../app/NotFound';
import { notify } from '../app/noticeStore';
import {
  CancelExtractionDocument,
  DeleteInvoiceDocument,
  InvoiceDocument,
  type InvoiceQuery,
  RetryExtractionDocument,
} from '../graphql/generated/graphql';
import { Confirm } from '../ui/Confirm';
import { Failure, Loading } from '../ui/Feedback';
import { Page } from '../ui/Page';
import { Findings } from '../understand/Findings';
import { Outcome } from './Outcome';
import { isUnderWay } from './progress';
import { ProgressCard } from './ProgressCard';
import { Purchase } from './Purchase';
import { useProgress } from './useProgress';
import { STATUS } from './words';

export type FullInvoice = NonNullable<InvoiceQuery['invoice']>;

export default function InvoicePage({ id }: { id: string }) {
  const [{ data, error, fetching, stale }, again] = useQuery({
    query: InvoiceDocument,
    variables: { id },
    requestPolicy: 'cache-and-network',
  });
  const invoice = data?.invoice;
  const reading = invoice != null && isUnderWay(invoice.status);
  const underWay = reading || invoice?.analysis?.status === 'QUEUED';
  // urql drops a request while the same one is under way, whose answer may be older than the event: it is asked after it.
  const due = useRef(false);
  const progress = useProgress(id, underWay, () => {
    due.current = true;
  });
  useEffect(() => {
    if (!due.current || fetching || stale) return;
    due.current = false;
    again({ requestPolicy: 'network-only' });
  }, [progress, fetching, stale, again]);

  if (invoice != null) {
    return (
      <Page title={invoice.issuer.name ?? 'Nota'}>
        <p className={STATUS[invoice.status].tone} role="status">
          <strong>{invoice.duplicateOf ? 'Repetida' : STATUS[invoice.status].label}</strong>
        </p>
        {reading && <ProgressCard progress={progress} />}
        <Outcome invoice={invoice} />
        {invoice.status === 'COMPLETED' && <Findings invoice={invoice} last={progress.last} />}
        {invoice.items.length > 0 && <Purchase invoice={invoice} />}
        <Actions invoice={invoice} />
      </Page>
    );
  }
  if (fetching) return <Loading />;
  return error ? <Failure>{explain(error)}</Failure> : <NotFound />;
}

/** What can be done with an invoice as it is now. */
function Actions({ invoice }: { invoice: FullInvoice }) {
  const [, cancel] = useMutation(CancelExtractionDocument);
  const [, retry] = useMutation(RetryExtractionDocument);
  const [, remove] = useMutation(DeleteInvoiceDocument);
  const [asking, setAsking] = useState(false);
  const [, navigate] = useLocation();
  const { id: invoiceId, status } = invoice;
  const orTell = ({ error }: { error?: CombinedError | undefined }) => {
    if (error) notify(explain(error));
    return error === undefined;
  };

  async function deleteIt() {
    if (!orTell(await remove({ input: { invoiceId } }))) return;
    notify('Nota apagada.');
    navigate('/');
  }

  return (
    <div className="row">
      {(status === 'NEEDS_REVIEW' || status === 'COMPLETED') && (
        <Link href={`/notas/${invoiceId}/revisar`} className={`button ${status === 'NEEDS_REVIEW' ? 'primary' : ''}`}>
          {status === 'NEEDS_REVIEW' ? 'Conferir nota' : 'Corrigir nota'}
        </Link>
      )}
      {isUnderWay(status) && (
        <button type="button" className="button" onClick={() => void cancel({ input: { invoiceId } }).then(orTell)}>
          Cancelar leitura
        </button>
      )}
      {(status === 'FAILED' || status === 'CANCELLED' || status === 'NEEDS_REVIEW') && !invoice.duplicateOf && (
        <button
          type="button"
          className="button"
          onClick={() => void retry({ input: { invoiceId, allowDuplicate: false } }).then(orTell)}
        >
          Ler de novo
        </button>
      )}
      {invoice.duplicateOf && (
        <button
          type="button"
          className="button"
          onClick={() => void retry({ input: { invoiceId, allowDuplicate: true } }).then(orTell)}
        >
          Adicionar mesmo assim
        </button>
      )}
      <button type="button" className="button danger" onClick={() => setAsking(true)}>
        Apagar nota
      </button>
      {asking && (
        <Confirm
          title="Apagar esta nota?"
          action="Apagar"
          onConfirm={() => void deleteIt()}
          onClose={() => setAsking(false)}
        >
          Ela some das suas contas, junto com os arquivos enviados. Não dá para desfazer.
        </Confirm>
      )}
    </div>
  );
}

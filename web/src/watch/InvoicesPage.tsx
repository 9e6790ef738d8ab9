import { useCallback, useState } from 'react';
import { useClient, useQuery } from 'urql';
import { Link } from 'wouter';
import { explain } from '../app/errors';
import { QueueList } from '../capture/QueueList';
import { InvoicesDocument, type InvoiceCardFragment } from '../graphql/generated/graphql';
import { Failure, Loading } from '../ui/Feedback';
import { count, formatDate } from '../ui/format';
import { Page } from '../ui/Page';
import { useAllProgress } from './useProgress';
import css from './Watch.module.css';
import { STATUS } from './words';

const PAGE = 20;

export default function InvoicesPage() {
  const client = useClient();
  // Where each page of the list begins; the first one at the start.
  const [cursors, setCursors] = useState<(string | undefined)[]>([undefined]);
  // The invoices that are listed.
  const [known] = useState(() => new Set<string>());
  const refresh = useCallback(() => {
    void client.query(InvoicesDocument, { first: PAGE }, { requestPolicy: 'network-only' }).toPromise();
  }, [client]);
  useAllProgress((event) => {
    // What is listed is brought up to date by the event itself.
    if (known.has(event.invoiceId)) return;
    known.add(event.invoiceId);
    refresh();
  }, refresh);

  return (
    <Page
      title="Notas"
      actions={
        <Link className="button primary" href="/adicionar">
          Adicionar nota
        </Link>
      }
    >
      <QueueList />
      {cursors.map((after, i) => (
        <Part
          key={after ?? ''}
          after={after}
          known={known}
          isLast={i === cursors.length - 1}
          onMore={(end) => setCursors((before) => [...before, end])}
        />
      ))}
    </Page>
  );
}

interface PartProps {
  after: string | undefined;
  known: Set<string>;
  isLast: boolean;
  onMore: (endCursor: string) => void;
}

/** One page of the list. */
function Part({ after, known, isLast, onMore }: PartProps) {
  const [{ data, error, fetching }, again] = useQuery({
    query: InvoicesDocument,
    variables: { first: PAGE, ...(after === undefined ? {} : { after }) },
    requestPolicy: 'cache-and-network',
  });
  if (data === undefined) {
    if (error && !fetching) {
      return (
        <Failure>
          <div className="stack">
            <p>{explain(error)}</p>
            <button type="button" className="button" onClick={() => again({ requestPolicy: 'network-only' })}>
              Tentar de novo
            </button>
          </div>
        </Failure>
      );
    }
    return <Loading />;
  }
  const { nodes, pageInfo, totalCount } = data.invoices;
  for (const node of nodes) known.add(node.id);
  if (totalCount === 0)
    return <p className="card">Nenhuma nota ainda. Fotografe a do seu último mercado para começar.</p>;
  return (
    <>
      {after === undefined && <p className="muted">{count(totalCount, 'nota', 'notas')}</p>}
      <ul className="stack">
        {nodes.map((n) => (
          <li key={n.id}>
            <Card invoice={n} />
          </li>
        ))}
      </ul>
      {isLast && pageInfo.hasNextPage && pageInfo.endCursor !== null && (
        <button type="button" className="button" onClick={() => onMore(pageInfo.endCursor ?? '')}>
          Mostrar mais
        </button>
      )}
    </>
  );
}

function Card({ invoice }: { invoice: InvoiceCardFragment }) {
  const status = STATUS[invoice.status];
  return (
    <Link href={`/notas/${invoice.id}`} className={`card ${css['card'] ?? ''}`}>
      <span className={css['shop']}>{invoice.issuer.name ?? 'Nota sem nome de loja'}</span>
      <span className="amount">{invoice.totals.due?.formatted ?? ''}</span>
      <span className="muted">{formatDate(invoice.issuedAt ?? invoice.createdAt)}</span>
      <span className={status.tone}>{invoice.duplicateOf ? 'Repetida' : status.label}</span>
    </Link>
  );
}

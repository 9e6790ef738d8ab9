import { useMutation, useQuery } from 'urql';
import { Link } from 'wouter';
import { explain } from '../app/errors';
import { notify } from '../app/noticeStore';
import { AnalysesDocument, type AnalyzedFragment, AnalyzeInvoiceDocument } from '../graphql/generated/graphql';
import { formatDate } from '../ui/format';
import { useAllProgress } from '../watch/useProgress';
import css from './Understand.module.css';
import { ANALYSIS, MISSING, SKIP } from './words';

const NEWEST = 10;

/** The newest purchases and how they were analysed; asks for what some analyses lack. */
export function Analyses() {
  const [{ data }, again] = useQuery({
    query: AnalysesDocument,
    variables: { first: NEWEST },
    requestPolicy: 'cache-and-network',
  });
  const refresh = () => again({ requestPolicy: 'network-only' });
  useAllProgress((event) => {
    if (event.stage === 'ANALYZED' || event.stage === 'ANALYSIS_FAILED') refresh();
  }, refresh);
  const invoices = data?.invoices.nodes ?? [];
  if (invoices.length === 0) return null;
  const missing = new Set(invoices.flatMap((n) => n.analysis?.gaps.map((g) => g.missing) ?? []));
  return (
    <section className="card stack" aria-labelledby="analyses">
      <h2 id="analyses">Análise das compras</h2>
      {missing.size > 0 && (
        <p>
          Para analisar mais, conte {[...missing].map((m) => MISSING[m] ?? m).join(' e ')}.{' '}
          <Link href="/conta">Completar o perfil da família</Link>
        </p>
      )}
      <ul>
        {invoices.map((n) => (
          <li key={n.id} className={css['analysis']}>
            <Purchase invoice={n} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Purchase({ invoice }: { invoice: AnalyzedFragment }) {
  const [{ fetching }, analyze] = useMutation(AnalyzeInvoiceDocument);
  const { id, analysis } = invoice;
  const shop = invoice.issuer.name ?? 'Nota';
  const date = formatDate(invoice.issuedAt ?? invoice.createdAt);

  async function start() {
    const { data, error } = await analyze({ input: { invoiceId: id } });
    if (error) {
      notify(explain(error));
      return;
    }
    const answer = data?.analyzeInvoice.invoice.analysis;
    if (answer?.skipReason != null) notify(SKIP[answer.skipReason]);
    else if (answer) notify(ANALYSIS[answer.status]);
  }

  return (
    <>
      <p>
        <Link href={`/notas/${id}`}>{shop}</Link> <span className="muted">· {date}</span>{' '}
        <span className="amount">{invoice.totals.due?.formatted}</span>
        <br />
        <span className={analysis?.status === 'FAILED' ? 'bad' : 'muted'}>{words(analysis)}</span>
      </p>
      <button
        type="button"
        className="button"
        disabled={fetching || analysis?.status === 'QUEUED'}
        onClick={() => void start()}
        aria-label={`Analisar a compra de ${date}, ${shop}`}
      >
        Analisar
      </button>
    </>
  );
}

function words(analysis: AnalyzedFragment['analysis']): string {
  if (analysis == null) return 'Ainda não analisada';
  return analysis.skipReason == null ? ANALYSIS[analysis.status] : SKIP[analysis.skipReason];
}

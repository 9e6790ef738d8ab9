import { useQuery } from 'urql';
import { Link } from 'wouter';
import { explain } from '../app/errors';
import { type AnalysisStateFragment, InsightsDocument, type ProgressFragment } from '../graphql/generated/graphql';
import { Failure, Loading } from '../ui/Feedback';
import { InsightCard } from './InsightCard';
import { ANALYSIS, SKIP } from './words';

/** As many as one analysis finds: one of each kind. */
const MOST = 14;

interface Props {
  invoice: AnalysisStateFragment;
  /** The newest step, whose words are shown while the analysis is under way. */
  last: ProgressFragment | undefined;
}

/** What the analysis of one purchase says, or how far it is. */
export function Findings({ invoice, last }: Props) {
  const { id, analysis } = invoice;
  if (analysis == null) return null;
  switch (analysis.status) {
    case 'QUEUED':
      return (
        <section className="card stack" aria-labelledby="analysis">
          <h2 id="analysis">Análise em andamento</h2>
          <Loading what={last?.stage === 'ANALYZING' ? last.message : 'Esperando a vez da análise…'} />
        </section>
      );
    case 'COMPLETED':
      return <List key={analysis.finishedAt} invoiceId={id} />;
    case 'SKIPPED':
      return analysis.skipReason == null ? null : <p className="card muted">{SKIP[analysis.skipReason]}</p>;
    case 'FAILED':
      return (
        <p className="card warn">
          {ANALYSIS.FAILED} <Link href="/entender">Ir para os avisos</Link>
        </p>
      );
  }
}

function List({ invoiceId }: { invoiceId: string }) {
  const [{ data, error, fetching }] = useQuery({
    query: InsightsDocument,
    variables: { first: MOST, filter: { invoiceId, dismissed: false } },
    requestPolicy: 'cache-and-network',
  });
  if (data === undefined) return fetching || !error ? <Loading /> : <Failure>{explain(error)}</Failure>;
  if (data.insights.nodes.length === 0) return <p className="card muted">Nada chamou a atenção nesta compra.</p>;
  return (
    <section aria-label="Avisos desta compra">
      <ul className="stack">
        {data.insights.nodes.map((n) => (
          <li key={n.id}>
            <InsightCard insight={n} />
          </li>
        ))}
      </ul>
    </section>
  );
}

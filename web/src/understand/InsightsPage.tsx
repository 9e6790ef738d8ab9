import { useState } from 'react';
import { useClient, useQuery } from 'urql';
import { ask } from '../app/ask';
import { explain } from '../app/errors';
import { type InsightFilter, type InsightKind, InsightsDocument } from '../graphql/generated/graphql';
import { Failure, Loading } from '../ui/Feedback';
import { count } from '../ui/format';
import { useAllProgress } from '../watch/useProgress';
import { Analyses } from './Analyses';
import { InsightCard } from './InsightCard';
import css from './Understand.module.css';
import { Understand } from './Understand';
import { KIND } from './words';

const PAGE = 20;

/** What was found in the purchases, the most important first. */
export default function InsightsPage() {
  const [kind, setKind] = useState<InsightKind>();
  const [unread, setUnread] = useState(false);
  const [dismissed, setDismissed] = useState(false);
  const filter: InsightFilter = {
    dismissed,
    ...(kind === undefined ? {} : { kinds: [kind] }),
    ...(unread ? { read: false } : {}),
  };
  return (
    <Understand title="Avisos">
      <div className={css['filters']} role="group" aria-label="Filtros">
        <div>
          <label htmlFor="kind">Assunto</label>
          <select
            id="kind"
            value={kind ?? ''}
            onChange={(event) => setKind(event.target.value === '' ? undefined : (event.target.value as InsightKind))}
          >
            <option value="">Todos</option>
            {Object.entries(KIND).map(([k, name]) => (
              <option key={k} value={k}>
                {name}
              </option>
            ))}
          </select>
        </div>
        <label className="row">
          <input type="checkbox" checked={unread} onChange={(event) => setUnread(event.target.checked)} />
          Só os não lidos
        </label>
        <label className="row">
          <input type="checkbox" checked={dismissed} onChange={(event) => setDismissed(event.target.checked)} />
          Ver dispensados
        </label>
      </div>
      <List key={JSON.stringify(filter)} filter={filter} />
      <Analyses />
    </Understand>
  );
}

function List({ filter }: { filter: InsightFilter }) {
  const client = useClient();
  const [cursors, setCursors] = useState<(string | undefined)[]>([undefined]);
  // What is new may be anywhere in the order, so that the places where the later pages begin are not good any more.
  const refresh = () => {
    setCursors([undefined]);
    void ask(client, InsightsDocument, { first: PAGE, filter });
  };
  useAllProgress((event) => {
    if (event.stage === 'ANALYZED') refresh();
  }, refresh);
  return (
    <>
      {cursors.map((after, i) => (
        <Part
          key={after ?? ''}
          filter={filter}
          after={after}
          isLast={i === cursors.length - 1}
          onMore={(end) => setCursors((before) => [...before, end])}
        />
      ))}
    </>
  );
}

interface PartProps {
  filter: InsightFilter;
  after: string | undefined;
  isLast: boolean;
  onMore: (cursor: string) => void;
}

function Part({ filter, after, isLast, onMore }: PartProps) {
  const [{ data, error, fetching }] = useQuery({
    query: InsightsDocument,
    variables: { first: PAGE, filter, ...(after === undefined ? {} : { after }) },
    requestPolicy: 'cache-and-network',
  });
  if (data === undefined) {
    if (fetching || !error) return <Loading />;
    return <Failure>{explain(error)}</Failure>;
  }
  const { nodes, pageInfo, totalCount } = data.insights;
  const end = pageInfo.endCursor;
  return (
    <>
      {after === undefined && (
        <p className="muted" role="status">
          {totalCount === 0 ? 'Nenhum aviso por aqui.' : count(totalCount, 'aviso', 'avisos')}
        </p>
      )}
      <ul className="stack">
        {nodes.map((n) => (
          <li key={n.id}>
            <InsightCard insight={n} />
          </li>
        ))}
      </ul>
      {isLast && pageInfo.hasNextPage && end != null && (
        <button type="button" className="button" onClick={() => onMore(end)}>
          Mostrar mais
        </button>
      )}
    </>
  );
}

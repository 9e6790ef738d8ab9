import { useState } from 'react';
import { useMutation, useQuery } from 'urql';
import { explain } from '../app/errors';
import { notify } from '../app/noticeStore';
import {
  type BreakerState,
  type ProviderState,
  ProvidersDocument,
  type ProvidersQuery,
  type ReloadOutcome,
  ReloadProvidersDocument,
  type ReloadProvidersMutation,
  SetProviderEnabledDocument,
} from '../graphql/generated/graphql';
import { Failure, Loading } from '../ui/Feedback';
import { Admin } from './Admin';

type Provider = ProvidersQuery['providers'][number];

const STATE: Record<ProviderState, string> = {
  STARTING: 'iniciando',
  RUNNING: 'funcionando',
  RESTARTING: 'reiniciando',
  PARKED: 'em descanso após falhas',
  REFUSED: 'recusado: soma de verificação',
  MISSING: 'sem programa',
  DISABLED: 'fora da configuração',
  STOPPED: 'parando',
};

const BREAKER: Record<BreakerState, string> = { CLOSED: 'fechado', HALF_OPEN: 'testando', OPEN: 'aberto' };

const OUTCOME: Record<ReloadOutcome, string> = {
  SWAPPED: 'trocado',
  STARTED: 'iniciado',
  UNCHANGED: 'igual',
  REFUSED: 'recusado',
};

/** The providers in their order: how they fare, whether they are asked, and their plugins loaded anew. */
export default function ProvidersPage() {
  const [{ data, error, fetching }, refresh] = useQuery({ query: ProvidersDocument, requestPolicy: 'network-only' });
  const [{ fetching: changing }, set] = useMutation(SetProviderEnabledDocument);
  const [{ fetching: loading }, reload] = useMutation(ReloadProvidersDocument);
  const [failure, setFailure] = useState<string>();
  const [report, setReport] = useState<ReloadProvidersMutation['reloadProviders']>();

  async function change(input: { name: string; enabled?: boolean; position?: number }) {
    setFailure(undefined);
    const reply = await set({ input });
    if (reply.error) setFailure(explain(reply.error));
    else notify('Provedor alterado. Os trabalhadores seguem em segundos.');
    refresh({ requestPolicy: 'network-only' });
  }

  async function loadAnew() {
    setFailure(undefined);
    const reply = await reload({});
    if (reply.error) setFailure(explain(reply.error));
    else setReport(reply.data?.reloadProviders);
    refresh({ requestPolicy: 'network-only' });
  }

  return (
    <Admin title="Provedores">
      <div className="row">
        <button type="button" className="button" disabled={loading} onClick={() => void loadAnew()}>
          {loading ? 'Recarregando…' : 'Recarregar plugins'}
        </button>
      </div>
      {failure !== undefined && <Failure>{failure}</Failure>}
      <div role="status">{report !== undefined && <Report report={report} />}</div>
      {data === undefined ? (
        fetching || !error ? (
          <Loading />
        ) : (
          <Failure>{explain(error)}</Failure>
        )
      ) : (
        data.providers.map((p) => (
          <section key={p.name} className="card stack" aria-label={p.name}>
            <h2>{`${String(p.position)}. ${p.name}`}</h2>
            <p>{described(p)}</p>
            {p.lastError != null && <p>Última falha: {p.lastError}</p>}
            <div className="row">
              <button
                type="button"
                className="button"
                disabled={changing}
                onClick={() => void change({ name: p.name, enabled: !p.enabled })}
              >
                {p.enabled ? 'Desligar' : 'Ligar'}
              </button>
              <button
                type="button"
                className="button"
                disabled={changing || p.position === 1}
                onClick={() => void change({ name: p.name, position: p.position - 1 })}
              >
                Subir
              </button>
              <button
                type="button"
                className="button"
                disabled={changing || p.position === data.providers.length}
                onClick={() => void change({ name: p.name, position: p.position + 1 })}
              >
                Descer
              </button>
            </div>
          </section>
        ))
      )}
    </Admin>
  );
}

/** What is known of a provider, in a sentence. */
function described(p: Provider): string {
  const parts = [p.enabled ? 'Ligado' : 'Desligado'];
  if (p.state != null) parts.push(STATE[p.state]);
  if (p.breaker != null) parts.push(`disjuntor ${BREAKER[p.breaker]}`);
  if (p.version != null) parts.push(`versão ${p.version}`);
  if (p.model != null) parts.push(p.model);
  if (p.inFlight != null) parts.push(`${String(p.inFlight)} em andamento`);
  if (p.p50Ms != null) parts.push(`metade em até ${String(p.p50Ms)} ms`);
  if (p.p95Ms != null) parts.push(`95 % em até ${String(p.p95Ms)} ms`);
  if (p.errorRate != null) parts.push(`${String(Math.round(p.errorRate * 100))} % de falhas`);
  if (p.costToday != null) parts.push(`hoje ${p.costToday.formatted}`);
  return `${parts.join(' · ')}.`;
}

function Report({ report }: { report: ReloadProvidersMutation['reloadProviders'] }) {
  return (
    <section className="card stack" aria-label="Plugins recarregados">
      {report.workers.map((w) => (
        <div key={w.worker}>
          <p>{w.error ?? `Trabalhador ${w.worker}`}</p>
          <ul>
            {w.plugins.map((p) => (
              <li key={p.name}>
                {p.name}: {OUTCOME[p.outcome]} {p.version ?? ''} {p.reason ?? ''}
              </li>
            ))}
          </ul>
        </div>
      ))}
      {report.pending.length > 0 && <p>Ainda sem resposta: {report.pending.join(', ')}</p>}
    </section>
  );
}

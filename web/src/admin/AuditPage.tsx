import { useQuery } from 'urql';
import { explain } from '../app/errors';
import { type AuditAction, AuditLogDocument } from '../graphql/generated/graphql';
import { Failure, Loading } from '../ui/Feedback';
import { Figures } from '../ui/Figures';
import { formatMoment } from '../ui/format';
import { Admin } from './Admin';

const NEWEST = 200;

const ACTION: Record<AuditAction, string> = {
  USER_CREATED: 'Criou uma conta',
  PLAN_CHANGED: 'Mudou um plano',
  USER_LOOKED_UP: 'Procurou uma conta',
  USAGE_READ: 'Leu o uso e o custo',
  AUDIT_LOG_READ: 'Leu este registro',
  PROVIDER_CHANGED: 'Mudou um provedor',
};

/** What admins did, the newest first. */
export default function AuditPage() {
  const [{ data, error, fetching }] = useQuery({
    query: AuditLogDocument,
    variables: { first: NEWEST },
    requestPolicy: 'network-only',
  });
  return (
    <Admin title="Registro">
      {data === undefined ? (
        fetching || !error ? (
          <Loading />
        ) : (
          <Failure>{explain(error)}</Failure>
        )
      ) : (
        <section className="card stack" aria-label="O que os admins fizeram">
          <Figures
            chart={undefined}
            caption="O que os admins fizeram"
            columns={['Quando', 'O quê', 'Detalhe', 'Quem', 'Sobre quem']}
            rows={data.auditLog.map((e) => ({
              key: e.id,
              name: formatMoment(e.at),
              cells: [ACTION[e.action], e.detail ?? '—', e.actorId ?? 'linha de comando', e.subjectId ?? '—'],
            }))}
          />
        </section>
      )}
    </Admin>
  );
}

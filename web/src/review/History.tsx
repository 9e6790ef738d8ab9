import type { ReviewedFragment } from '../graphql/generated/graphql';
import { formatMoment } from '../ui/format';
import { SOURCE } from '../watch/words';
import { fieldLabel } from './words';

interface Props {
  revisions: ReviewedFragment['revisions'];
  confirmedAt: string | undefined;
}

/** What was corrected before, the newest first. */
export function History({ revisions, confirmedAt }: Props) {
  if (revisions.length === 0 && confirmedAt === undefined) return null;
  return (
    <section className="card stack" aria-labelledby="history">
      <h2 id="history">Histórico</h2>
      {confirmedAt !== undefined && <p>Confirmada em {formatMoment(confirmedAt)}: o papel está assim.</p>}
      <ol className="stack" reversed>
        {revisions.toReversed().map((r) => (
          <li key={r.version}>
            <p>
              <strong>{formatMoment(r.changedAt)}</strong>
              {r.source != null && <span className="muted"> · antes: {SOURCE[r.source]}</span>}
            </p>
            {r.changes.length === 0 && <p>Nome ou categoria de produtos.</p>}
            <ul>
              {r.changes.map((c, i) => (
                <li key={i}>
                  {fieldLabel(c.field)}
                  {c.lineNumber != null && `, linha ${c.lineNumber}`}: <s>{c.before ?? 'vazio'}</s> →{' '}
                  {c.after ?? 'vazio'}
                </li>
              ))}
            </ul>
          </li>
        ))}
      </ol>
    </section>
  );
}

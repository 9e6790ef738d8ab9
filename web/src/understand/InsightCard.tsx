import { useMutation } from 'urql';
import { Link } from 'wouter';
import { explain } from '../app/errors';
import { notify } from '../app/noticeStore';
import { type InsightCardFragment, type InsightMark, MarkInsightDocument } from '../graphql/generated/graphql';
import { count, formatDecimal } from '../ui/format';
import { formatPeriod } from '../ui/period';
import { describe } from './details';
import css from './Understand.module.css';
import { KIND, PRIORITY } from './words';

/** One finding: in words, in figures, and the lines that prove it. */
export function InsightCard({ insight }: { insight: InsightCardFragment }) {
  const { kind, priority, title, description, periodFrom, periodTo, invoice } = insight;
  const tone = PRIORITY[priority].tone;
  const details = describe(insight.details);
  return (
    <article className={`card stack ${insight.readAt == null ? (css['unread'] ?? '') : ''}`} aria-label={title}>
      <p className={tone}>
        <strong>{PRIORITY[priority].label}</strong> <span className="muted">· {KIND[kind]}</span>
        {insight.readAt == null && <span className="muted"> · não lido</span>}
        {insight.actedUponAt != null && <span className="good"> · feito</span>}
      </p>
      <h2>{title}</h2>
      <p>{description}</p>
      <p className="muted">
        {periodFrom === periodTo
          ? formatPeriod({ from: periodFrom, to: periodTo }).slice(0, 10)
          : formatPeriod({ from: periodFrom, to: periodTo })}
        {invoice && (
          <>
            {' · '}
            <Link href={`/notas/${invoice.id}`}>{invoice.issuer.name ?? 'ver a nota'}</Link>
          </>
        )}
      </p>
      {details.length > 0 && (
        <details>
          <summary>Ver os números</summary>
          <dl className={css['facts']}>
            {details.map((d) => (
              <div key={d.label}>
                <dt>{d.label}</dt>
                <dd>{d.parts === undefined ? d.value : d.parts.map((p) => <p key={p}>{p}</p>)}</dd>
              </div>
            ))}
          </dl>
        </details>
      )}
      <Evidence items={insight.evidence} />
      <Marks insight={insight} />
    </article>
  );
}

function Evidence({ items }: { items: InsightCardFragment['evidence'] }) {
  if (items.length === 0) return null;
  return (
    <details>
      <summary>De onde vem: {count(items.length, 'item', 'itens')}</summary>
      <ul className={css['items']}>
        {items.map((it) => (
          <li key={it.id}>
            {it.product ? <Link href={`/entender/produtos/${it.product.id}`}>{it.product.name}</Link> : it.description}
            <span className="amount">
              {formatDecimal(it.quantity)} {it.unit ?? ''} · {it.total.formatted}
            </span>
          </li>
        ))}
      </ul>
    </details>
  );
}

function Marks({ insight }: { insight: InsightCardFragment }) {
  const [{ fetching }, mark] = useMutation(MarkInsightDocument);
  const set = (what: InsightMark, on: boolean) => {
    void mark({ input: { insightId: insight.id, mark: what, set: on } }).then(({ error }) => {
      if (error) notify(explain(error));
    });
  };
  const marks: [InsightMark, boolean, string][] = [
    ['READ', insight.readAt != null, 'Lido'],
    ['ACTED_UPON', insight.actedUponAt != null, 'Feito'],
    ['DISMISSED', insight.dismissedAt != null, 'Dispensar'],
  ];
  return (
    <div className="row" role="group" aria-label={`Marcar: ${insight.title}`}>
      {marks.map(([what, on, label]) => (
        <button
          key={what}
          type="button"
          className={`button ${on ? 'primary' : ''}`}
          aria-pressed={on}
          disabled={fetching}
          onClick={() => set(what, !on)}
        >
          {label}
        </button>
      ))}
    </div>
  );
}

import { providerName } from '../ui/providers';
import { count } from '../ui/format';
import { type Progress, STEPS, stepOf } from './progress';
import css from './Watch.module.css';

/** An extraction under way: its steps, who reads, and how many items were found. */
export function ProgressCard({ progress: { last, itemsFound } }: { progress: Progress }) {
  const now = last === undefined ? 0 : stepOf(last.stage);
  return (
    <section className="card stack" aria-labelledby="progress">
      <h2 id="progress">Leitura em andamento</h2>
      <progress aria-labelledby="progress" max={100} value={last?.percent ?? 0} />
      <ol className={css['steps']}>
        {STEPS.map((s, i) => (
          <li
            key={s.label}
            className={`${css['step'] ?? ''} ${i < now ? (css['done'] ?? '') : i === now ? (css['now'] ?? '') : ''}`}
            {...(i === now ? { 'aria-current': 'step' as const } : {})}
          >
            {s.label}
          </li>
        ))}
      </ol>
      <div role="status">
        <p>{last?.message ?? 'Esperando notícias da leitura…'}</p>
        {last?.provider != null && (
          <p className="muted">
            Quem lê: {providerName(last.provider)}
            {(last.attempt ?? 1) > 1 && `, tentativa ${last.attempt ?? 1}`}
          </p>
        )}
        {itemsFound > 0 && <p>{count(itemsFound, 'item encontrado', 'itens encontrados')}</p>}
      </div>
    </section>
  );
}

import type { Difference } from './conflict';

/** Somebody else was first: what they changed. What was typed here stands in the fields still. */
export function ChangedMeanwhile({ differences }: { differences: Difference[] }) {
  return (
    <section className="card stack" role="alert" aria-labelledby="changed">
      <h2 id="changed">A nota mudou enquanto você conferia</h2>
      <p>Nada foi salvo ainda. O que você escreveu continua nos campos: confira e salve de novo.</p>
      {differences.length > 0 && (
        <ul>
          {differences.map((d) => (
            <li key={d.label}>
              <strong>{d.label}:</strong> <s>{d.before || 'vazio'}</s> → {d.after || 'vazio'}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

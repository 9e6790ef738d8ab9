import { useSyncExternalStore } from 'react';
import { Link } from 'wouter';
import { useOnline } from '../app/online';
import type { Entry } from './queue';
import { submissions } from './submissions';

/** The notes that are on their way to the service, and what became of them. Nothing when there are none. */
export function QueueList() {
  const entries = useSyncExternalStore(submissions.subscribe, submissions.snapshot);
  if (entries.length === 0) return null;
  return (
    <section className="stack" aria-labelledby="sending">
      <h2 id="sending">Envios</h2>
      <ul className="stack">
        {entries.map((e) => (
          <li key={e.idempotencyKey} className="card stack">
            <QueueEntry entry={e} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function QueueEntry({ entry }: { entry: Entry }) {
  const online = useOnline();
  const key = entry.idempotencyKey;
  const remove = (label: string) => (
    <button type="button" className="button" onClick={() => void submissions.remove(key)}>
      {label}
    </button>
  );
  switch (entry.state) {
    case 'waiting':
    case 'sending':
      return (
        <>
          <p role="status">
            <strong>{entry.title}</strong> ·{' '}
            {online ? (entry.state === 'sending' ? 'Enviando…' : 'Na fila') : 'Esperando a internet'}
          </p>
          <progress aria-label={`Envio de ${entry.title}`} max={1} value={entry.progress} />
          <div className="row">{remove('Desistir do envio')}</div>
        </>
      );
    case 'sent':
      return (
        <>
          <p role="status">
            <strong>{entry.title}</strong> · <span className="good">Enviada</span>
          </p>
          <div className="row">
            <Link className="button primary" href={`/notas/${entry.invoiceId ?? ''}`}>
              Acompanhar a leitura
            </Link>
            {remove('Tirar da lista')}
          </div>
        </>
      );
    case 'duplicate':
      return (
        <>
          <p role="alert">
            <strong>{entry.title}</strong> · <span className="warn">Esta compra já está nas suas notas.</span>
          </p>
          <div className="row">
            <Link
              className="button primary"
              href={`/notas/${entry.duplicateOf ?? ''}`}
              onClick={() => void submissions.remove(key)}
            >
              Ver a existente
            </Link>
            <button type="button" className="button" onClick={() => void submissions.sendAnyway(key)}>
              Adicionar mesmo assim
            </button>
            {remove('Descartar')}
          </div>
        </>
      );
    case 'refused':
      return (
        <>
          <p role="alert">
            <strong>{entry.title}</strong> · <span className="bad">{entry.message}</span>
          </p>
          <div className="row">
            <button type="button" className="button" onClick={() => void submissions.retry(key)}>
              Tentar de novo
            </button>
            {remove('Descartar')}
          </div>
        </>
      );
  }
}

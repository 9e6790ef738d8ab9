import { useSyncExternalStore } from 'react';
import { dismiss, noticeStore } from './noticeStore';
import css from './Notices.module.css';
import { useOnline } from './online';

/** Messages and the state of the network. The region is always there: screen readers follow only what they have seen empty. */
export function Notices() {
  const notices = useSyncExternalStore(noticeStore.subscribe, noticeStore.snapshot);
  const online = useOnline();
  return (
    <div className={css['region']} role="status" aria-live="polite">
      {!online && (
        <p className={css['offline']}>Sem internet. O que você enviar fica guardado e segue quando ela voltar.</p>
      )}
      {notices.map((n) => (
        <p key={n.id} className={css['notice']}>
          <span>{n.text}</span>
          <button type="button" className={css['close']} onClick={() => dismiss(n.id)} aria-label="Fechar aviso">
            ×
          </button>
        </p>
      ))}
    </div>
  );
}

import { useEffect, useMemo } from 'react';
import { formatBytes } from '../ui/format';
import css from './Capture.module.css';
import type { Picked } from './selection';

interface Props {
  picked: readonly Picked[];
  onMove: (index: number, by: -1 | 1) => void;
  onRemove: (id: string) => void;
}

/** What was picked, in the order in which it will be read. */
export function PhotoList({ picked, onMove, onRemove }: Props) {
  return (
    <ol className={css['photos']}>
      {picked.map((p, i) => (
        <li key={p.id} className={`card ${css['photo'] ?? ''}`}>
          <Preview picked={p} place={i + 1} />
          <div className={css['tools']}>
            <Tool label={`Mover o arquivo ${i + 1} para antes`} disabled={i === 0} onClick={() => onMove(i, -1)}>
              ←
            </Tool>
            <Tool label={`Remover o arquivo ${i + 1}`} onClick={() => onRemove(p.id)}>
              ×
            </Tool>
            <Tool
              label={`Mover o arquivo ${i + 1} para depois`}
              disabled={i === picked.length - 1}
              onClick={() => onMove(i, 1)}
            >
              →
            </Tool>
          </div>
        </li>
      ))}
    </ol>
  );
}

function Preview({ picked: { file, kind }, place }: { picked: Picked; place: number }) {
  const url = useMemo(() => (kind === 'photo' ? URL.createObjectURL(file) : undefined), [file, kind]);
  useEffect(
    () => () => {
      if (url !== undefined) URL.revokeObjectURL(url);
    },
    [url],
  );
  if (url !== undefined) return <img className={css['preview']} src={url} alt={`Foto ${place}`} />;
  return (
    <p className={`${css['preview'] ?? ''} ${css['document'] ?? ''}`}>
      {file.name}
      <span className="muted">{formatBytes(file.size)}</span>
    </p>
  );
}

interface ToolProps {
  label: string;
  disabled?: boolean;
  onClick: () => void;
  children: string;
}

function Tool({ label, disabled = false, onClick, children }: ToolProps) {
  return (
    <button type="button" className={css['tool']} aria-label={label} disabled={disabled} onClick={onClick}>
      {children}
    </button>
  );
}

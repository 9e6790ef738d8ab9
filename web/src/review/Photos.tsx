import { useState } from 'react';
import type { ReviewedFragment } from '../graphql/generated/graphql';
import { count } from '../ui/format';
import css from './Review.module.css';

const ZOOMS = [1, 1.5, 2, 3];

interface Props {
  files: ReviewedFragment['files'];
  /** Asks for new addresses: they are good for minutes only. */
  reload: () => void;
}

/** What was sent, beside the fields; on narrow screens behind a button, above them. */
export function Photos({ files, reload }: Props) {
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(0);
  const [zoom, setZoom] = useState(0);
  const [broken, setBroken] = useState<string>();
  const there = files.flatMap(({ id, kind, url }) => link({ id, kind, url }));
  const photos = there.filter((f) => f.kind !== 'PDF' && f.kind !== 'XML');
  const others = there.filter((f) => f.kind === 'PDF' || f.kind === 'XML');
  const photo = photos[Math.min(at, photos.length - 1)];
  return (
    <section className={css['photos']} aria-label="O que foi enviado" data-open={open}>
      {photo !== undefined && (
        <button
          type="button"
          className={`button ${css['toggle'] ?? ''}`}
          aria-expanded={open}
          onClick={() => setOpen(!open)}
        >
          {open ? 'Esconder a foto' : `Ver ${count(photos.length, 'foto', 'fotos')} da nota`}
        </button>
      )}
      {others.map((f) => (
        <p key={f.id}>
          <a href={f.url} target="_blank" rel="noreferrer">
            Abrir o {f.kind} em outra aba
          </a>
        </p>
      ))}
      {there.length === 0 && <p className="card muted">Os arquivos desta nota não estão mais guardados.</p>}
      {photo !== undefined && (
        <div className={css['panel']}>
          <div className="row" role="group" aria-label="Foto">
            {photos.length > 1 &&
              photos.map((p, i) => (
                <button key={p.id} type="button" className="button" aria-pressed={p === photo} onClick={() => setAt(i)}>
                  <span className="hidden">Foto </span>
                  {i + 1}
                </button>
              ))}
            <button
              type="button"
              className="button"
              disabled={zoom === 0}
              onClick={() => setZoom(zoom - 1)}
              aria-label="Diminuir"
            >
              −
            </button>
            <button
              type="button"
              className="button"
              disabled={zoom === ZOOMS.length - 1}
              onClick={() => setZoom(zoom + 1)}
              aria-label="Ampliar"
            >
              +
            </button>
            <span className="muted" role="status">
              {(ZOOMS[zoom] ?? 1) * 100}%
            </span>
          </div>
          {broken === photo.url ? (
            <p className="card">
              A foto não abriu.{' '}
              <button type="button" className="button" onClick={reload}>
                Tentar de novo
              </button>
            </p>
          ) : (
            // The keyboard scrolls it.
            // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
            <div className={css['view']} tabIndex={0} role="region" aria-label="Foto da nota, role para ver tudo">
              <img src={photo.url} alt="A nota enviada" data-zoom={zoom} onError={() => setBroken(photo.url)} />
            </div>
          )}
        </div>
      )}
    </section>
  );
}

/** A file whose address is null is not kept any more. */
function link<T extends { url?: string | null }>(file: T): (T & { url: string })[] {
  return file.url == null ? [] : [{ ...file, url: file.url }];
}

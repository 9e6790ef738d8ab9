import { lazy, Suspense, useEffect, useRef, useState, type ChangeEvent, type DragEvent } from 'react';
import { useLocation } from 'wouter';
import { notify } from '../app/noticeStore';
import { Failure, Loading } from '../ui/Feedback';
import { count } from '../ui/format';
import { Page } from '../ui/Page';
import css from './Capture.module.css';
import { downscale } from './downscale';
import { PhotoList } from './PhotoList';
import { QueueList } from './QueueList';
import { intoNotes, kindOf, MAX_BYTES, MAX_FILES, moved, type Picked, refusal } from './selection';
import { submissions } from './submissions';

const Scanner = lazy(() => import('./Scanner'));

export default function CapturePage() {
  const [picked, setPicked] = useState<Picked[]>([]);
  const [refused, setRefused] = useState<string[]>([]);
  const [eachIsANote, setEachIsANote] = useState(false);
  const [busy, setBusy] = useState(false);
  const [scanning, setScanning] = useState(false);
  const [dropping, setDropping] = useState(false);
  const [, navigate] = useLocation();
  const camera = useRef<HTMLInputElement>(null);
  const files = useRef<HTMLInputElement>(null);

  const add = (list: Iterable<File>) => {
    const all = [...list];
    setRefused(all.map(refusal).filter((r) => r !== undefined));
    const taken = all.flatMap((file): Picked[] => {
      const kind = kindOf(file);
      return kind === undefined || refusal(file) !== undefined ? [] : [{ id: crypto.randomUUID(), file, kind }];
    });
    setPicked((before) => [...before, ...taken]);
  };

  useEffect(() => {
    const paste = (event: ClipboardEvent) => {
      if (event.clipboardData && event.clipboardData.files.length > 0) add(event.clipboardData.files);
    };
    addEventListener('paste', paste);
    return () => removeEventListener('paste', paste);
  }, []);

  const choose = (event: ChangeEvent<HTMLInputElement>) => {
    add(event.target.files ?? []);
    event.target.value = ''; // the same file may be chosen again
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setDropping(false);
    add(event.dataTransfer.files);
  };

  const notes = intoNotes(picked, eachIsANote);
  const photos = picked.filter((p) => p.kind === 'photo').length;
  const tooMany = notes.some((n) => n.length > MAX_FILES);

  async function send() {
    setBusy(true);
    try {
      const keys: string[] = [];
      for (const note of notes) {
        const blobs = await Promise.all(note.map((p) => downscale(p.file)));
        const large = note[blobs.findIndex((b) => b.size > MAX_BYTES)];
        if (large !== undefined) {
          setRefused([`${large.file.name}: o arquivo passa de 20 MB.`]);
          return;
        }
        keys.push(await submissions.add(title(note), blobs));
        setPicked((before) => before.filter((p) => !note.includes(p)));
      }
      if (keys.length === 1) followWhenSent(keys[0] ?? '', navigate);
    } catch {
      // Private windows and full disks refuse to store.
      notify('Não conseguimos guardar o envio neste navegador. Libere espaço e tente de novo.');
    } finally {
      setBusy(false);
    }
  }

  return (
    <Page title="Adicionar nota">
      {/* Dropping is one more way to do what the buttons do. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions */}
      <div
        role="group"
        aria-label="Escolher a nota"
        className={`card stack ${css['drop'] ?? ''} ${dropping ? (css['over'] ?? '') : ''}`}
        onDragOver={(event) => {
          event.preventDefault();
          setDropping(true);
        }}
        onDragLeave={() => setDropping(false)}
        onDrop={drop}
      >
        <p>Fotografe a nota inteira, com boa luz. Se for comprida, tire várias fotos, de cima para baixo.</p>
        <div className="row">
          <button type="button" className="button primary" onClick={() => camera.current?.click()}>
            Tirar foto
          </button>
          <button type="button" className="button" onClick={() => files.current?.click()}>
            Escolher fotos, PDF ou XML
          </button>
          <button type="button" className="button" onClick={() => setScanning(true)}>
            Ler QR Code
          </button>
        </div>
        <p className={`muted ${css['desktop'] ?? ''}`}>
          Você também pode arrastar arquivos para cá, ou colar uma imagem.
        </p>
        <input
          ref={camera}
          hidden
          type="file"
          accept="image/*"
          capture="environment"
          onChange={choose}
          aria-label="Câmera"
        />
        <input
          ref={files}
          hidden
          type="file"
          multiple
          accept="image/*,application/pdf,application/xml,text/xml,.pdf,.xml"
          onChange={choose}
          aria-label="Arquivos"
        />
      </div>
      {scanning && (
        <Suspense fallback={<Loading what="Abrindo a câmera…" />}>
          <Scanner
            onPhoto={(photo) => add([photo])}
            onSubmitted={(id) => navigate(`/notas/${id}`)}
            onClose={() => setScanning(false)}
          />
        </Suspense>
      )}
      {refused.length > 0 && (
        <Failure>
          <ul>
            {refused.map((r) => (
              <li key={r}>{r}</li>
            ))}
          </ul>
        </Failure>
      )}
      {picked.length > 0 && (
        <section className="stack" aria-labelledby="picked">
          <h2 id="picked">{count(picked.length, 'arquivo escolhido', 'arquivos escolhidos')}</h2>
          <PhotoList
            picked={picked}
            onMove={(i, by) => setPicked((before) => moved(before, i, by))}
            onRemove={(id) => setPicked((before) => before.filter((p) => p.id !== id))}
          />
          {photos > 1 && (
            <label className="row">
              <input type="checkbox" checked={eachIsANote} onChange={(e) => setEachIsANote(e.target.checked)} />
              Cada foto é uma nota diferente
            </label>
          )}
          {tooMany && <Failure>Uma nota pode ter até {MAX_FILES} fotos.</Failure>}
          <div className="row">
            <button type="button" className="button primary" disabled={busy || tooMany} onClick={() => void send()}>
              {busy ? 'Preparando…' : `Enviar ${count(notes.length, 'nota', 'notas')}`}
            </button>
          </div>
        </section>
      )}
      <QueueList />
    </Page>
  );
}

function title(note: Picked[]): string {
  const [first] = note;
  return first?.kind === 'document' ? first.file.name : count(note.length, 'foto', 'fotos');
}

/** Goes to the new invoice, if the person is still waiting here. */
function followWhenSent(key: string, navigate: (to: string) => void): void {
  const stop = submissions.subscribe(() => {
    const entry = submissions.snapshot().find((e) => e.idempotencyKey === key);
    if (entry?.state === 'sent' || entry === undefined || location.pathname !== '/adicionar') stop();
    if (entry?.state === 'sent' && entry.invoiceId !== undefined && location.pathname === '/adicionar') {
      void submissions.remove(key);
      navigate(`/notas/${entry.invoiceId}`);
    }
  });
}

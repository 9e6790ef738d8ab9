import { useEffect, useRef, useState } from 'react';
import { useMutation } from 'urql';
import { explain } from '../app/errors';
import { SubmitInvoiceDocument } from '../graphql/generated/graphql';
import css from './Capture.module.css';
import { accessKeyOf, formatAccessKey, qrReader } from './qr';

interface Props {
  /** The picture in which the code was found, for a note that the state is not asked for. */
  onPhoto: (photo: File) => void;
  /** The invoice that was made of the code alone. */
  onSubmitted: (invoiceId: string) => void;
  onClose: () => void;
}

/** How often a frame is looked at. */
const EVERY_MS = 250;

/** The camera, until it has seen a note's QR code. */
export default function Scanner({ onPhoto, onSubmitted, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const video = useRef<HTMLVideoElement>(null);
  const frame = useRef<HTMLCanvasElement>(null);
  const [found, setFound] = useState<Code>();
  const [refusal, setRefusal] = useState<string>();
  const [{ fetching }, submit] = useMutation(SubmitInvoiceDocument);
  const idempotencyKey = useRef(crypto.randomUUID());
  const [failure, setFailure] = useState<string>();

  useEffect(() => dialog.current?.showModal(), []);

  useEffect(() => {
    const stop = new AbortController();
    watchCamera(video.current, frame.current, stop.signal)
      .then((code) => {
        if (!stop.signal.aborted) setFound(code);
      })
      .catch(() => {
        if (!stop.signal.aborted)
          setFailure('Não conseguimos usar a câmera. Confira a permissão do navegador, ou escolha uma foto.');
      });
    return () => stop.abort();
  }, []);

  const attach = () => {
    frame.current?.toBlob(
      (blob) => {
        if (blob !== null) onPhoto(new File([blob], 'qr-code.jpg', { type: 'image/jpeg' }));
        dialog.current?.close();
      },
      'image/jpeg',
      0.9,
    );
  };

  // A model is asked where the state is not: the photo stays at hand.
  const lookUp = async (code: Code) => {
    setRefusal(undefined);
    const { data, error } = await submit({ input: { qrCode: code.text, idempotencyKey: idempotencyKey.current } });
    if (error) setRefusal(explain(error));
    if (data === undefined) return;
    dialog.current?.close();
    onSubmitted(data.submitInvoice.invoice.id);
  };

  return (
    <dialog ref={dialog} aria-labelledby="scanner" onClose={onClose}>
      <div className="stack">
        <h2 id="scanner">Ler QR Code da nota</h2>
        {found === undefined && failure === undefined && <p>Aponte para o QR Code, no fim da nota.</p>}
        <video
          ref={video}
          className={css['video']}
          hidden={found !== undefined || failure !== undefined}
          muted
          playsInline
        />
        <canvas ref={frame} hidden />
        <div role="status">
          {found !== undefined && (
            <p>
              Chave de acesso: <strong>{formatAccessKey(found.key)}</strong>. Podemos buscar a nota na SEFAZ, ou ler
              esta foto. Se a nota não aparece inteira nela, acrescente outras.
            </p>
          )}
          {refusal !== undefined && <p className="bad">{refusal}</p>}
          {failure !== undefined && <p className="bad">{failure}</p>}
        </div>
        <div className="row">
          <button type="button" className="button" onClick={() => dialog.current?.close()}>
            Fechar
          </button>
          {found !== undefined && (
            <button type="button" className="button" onClick={attach}>
              Usar esta foto
            </button>
          )}
          {found !== undefined && (
            <button type="button" className="button primary" disabled={fetching} onClick={() => void lookUp(found)}>
              {fetching ? 'Enviando…' : 'Buscar na SEFAZ'}
            </button>
          )}
        </div>
      </div>
    </dialog>
  );
}

/** A note's code: its text may name the consumer, and is shown nowhere. */
interface Code {
  key: string;
  text: string;
}

/** Shows the camera and looks for a note's code; the frame that has it stays in canvas. The camera is off when it ends. */
async function watchCamera(
  video: HTMLVideoElement | null,
  canvas: HTMLCanvasElement | null,
  signal: AbortSignal,
): Promise<Code> {
  if (video === null || canvas === null) throw new Error('the dialog is gone');
  const read = await qrReader();
  const stream = await navigator.mediaDevices.getUserMedia({
    video: { facingMode: 'environment', width: { ideal: 1920 }, height: { ideal: 1080 } },
  });
  try {
    video.srcObject = stream;
    await video.play();
    while (!signal.aborted) {
      canvas.width = video.videoWidth;
      canvas.height = video.videoHeight;
      canvas.getContext('2d', { willReadFrequently: true })?.drawImage(video, 0, 0);
      const text = (canvas.width > 0 ? await read(canvas) : null) ?? '';
      const key = accessKeyOf(text);
      if (key !== undefined) return { key, text };
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
    throw new Error('closed');
  } finally {
    for (const track of stream.getTracks()) track.stop();
  }
}

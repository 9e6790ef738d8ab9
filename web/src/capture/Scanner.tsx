import { useEffect, useRef, useState } from 'react';
import css from './Capture.module.css';
import { accessKeyOf, formatAccessKey, qrReader } from './qr';

interface Props {
  /** The picture in which the code was found: the service reads files. */
  onPhoto: (photo: File) => void;
  onClose: () => void;
}

/** How often a frame is looked at. */
const EVERY_MS = 250;

/** The camera, until it has seen a note's QR code. */
export default function Scanner({ onPhoto, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const video = useRef<HTMLVideoElement>(null);
  const frame = useRef<HTMLCanvasElement>(null);
  const [found, setFound] = useState<string>();
  const [failure, setFailure] = useState<string>();

  useEffect(() => dialog.current?.showModal(), []);

  useEffect(() => {
    const stop = new AbortController();
    watchCamera(video.current, frame.current, stop.signal)
      .then((key) => {
        if (!stop.signal.aborted) setFound(key);
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
              Chave de acesso: <strong>{formatAccessKey(found)}</strong>. A foto vai junto, para a leitura. Se a nota
              não aparece inteira nela, acrescente outras.
            </p>
          )}
          {failure !== undefined && <p className="bad">{failure}</p>}
        </div>
        <div className="row">
          <button type="button" className="button" onClick={() => dialog.current?.close()}>
            Fechar
          </button>
          {found !== undefined && (
            <button type="button" className="button primary" onClick={attach}>
              Usar esta foto
            </button>
          )}
        </div>
      </div>
    </dialog>
  );
}

/** Shows the camera and looks for a note's code; the frame that has it stays in canvas. The camera is off when it ends. */
async function watchCamera(
  video: HTMLVideoElement | null,
  canvas: HTMLCanvasElement | null,
  signal: AbortSignal,
): Promise<string> {
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
      const key = accessKeyOf((canvas.width > 0 ? await read(canvas) : null) ?? '');
      if (key !== undefined) return key;
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
    throw new Error('closed');
  } finally {
    for (const track of stream.getTracks()) track.stop();
  }
}

/** What the QR code of an NFC-e says: its access key, 44 characters. Undefined when it is another code. */
export function accessKeyOf(text: string): string | undefined {
  // "https://www.fazenda.sp.gov.br/...?p=KEY|2|1|1|HASH" in the newer versions, "?chNFe=KEY&..." in the first.
  const found = /(?:[?&]p=|chNFe=)([0-9A-Z]{44})(?![0-9A-Z])/i.exec(text) ?? /^([0-9A-Z]{44})$/i.exec(text.trim());
  return found?.[1]?.toUpperCase();
}

/** In groups of four, as it is printed. */
export const formatAccessKey = (key: string): string => key.replace(/(.{4})(?=.)/g, '$1 ');

/** Reads a frame; null when there is no code in it. */
export type Reader = (canvas: HTMLCanvasElement) => Promise<string | null>;

interface Detector {
  detect(source: CanvasImageSource): Promise<{ rawValue: string }[]>;
}
interface DetectorClass {
  new (options: { formats: string[] }): Detector;
  getSupportedFormats(): Promise<string[]>;
}

/** The browser's own reader where it has one, else a library that is loaded only then. */
export async function qrReader(): Promise<Reader> {
  const own = (globalThis as { BarcodeDetector?: DetectorClass }).BarcodeDetector;
  if (own !== undefined && (await own.getSupportedFormats().catch((): string[] => [])).includes('qr_code')) {
    const detector = new own({ formats: ['qr_code'] });
    return async (canvas) => (await detector.detect(canvas))[0]?.rawValue ?? null;
  }
  const { default: decode } = await import('qr/decode.js');
  return (canvas) => {
    const pixels = canvas
      .getContext('2d', { willReadFrequently: true })
      ?.getImageData(0, 0, canvas.width, canvas.height);
    return Promise.resolve(pixels === undefined ? null : readPixels(decode, pixels));
  };
}

/** The library throws where there is no code. */
function readPixels(decode: (pixels: ImageData) => string, pixels: ImageData): string | null {
  try {
    return decode(pixels);
  } catch {
    return null;
  }
}

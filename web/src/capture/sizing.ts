/**
 * The short side a photo is scaled down to, in pixels. A till prints about 48 characters in a line: with 1600 pixels a small one
 * still has 30, as much as the readers use. A long receipt keeps its length.
 */
export const SHORT_SIDE = 1600;
/** What the canvas of a phone bears, in pixels. */
const MOST_PIXELS = 16_000_000;

export interface Size {
  width: number;
  height: number;
}

/** The size a photo is sent in: never larger than it is. */
export function fit({ width, height }: Size): Size {
  const factor = Math.min(1, SHORT_SIDE / Math.min(width, height), Math.sqrt(MOST_PIXELS / (width * height)));
  return { width: Math.max(1, Math.round(width * factor)), height: Math.max(1, Math.round(height * factor)) };
}

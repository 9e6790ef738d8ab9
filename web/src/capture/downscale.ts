import { fit, type Size } from './sizing';

const QUALITY = 0.85;

/**
 * A photo small enough for a phone's connection. What cannot be decoded here, as HEIC in most browsers, and what would not become
 * smaller is sent as it is.
 */
export async function downscale(file: Blob): Promise<Blob> {
  if (!file.type.startsWith('image/')) return file;
  let picture: ImageBitmap;
  try {
    // Turned as its EXIF says, since the copy has none.
    picture = await createImageBitmap(file, { imageOrientation: 'from-image' });
  } catch {
    return file;
  }
  try {
    const size = fit(picture);
    if (size.width === picture.width && size.height === picture.height) return file;
    const smaller = await encode(picture, size);
    return smaller !== null && smaller.size < file.size ? smaller : file;
  } finally {
    picture.close();
  }
}

function encode(picture: ImageBitmap, { width, height }: Size): Promise<Blob | null> {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d', { alpha: false });
  if (context === null) return Promise.resolve(null);
  // A picture with transparent parts would get black ones.
  context.fillStyle = '#fff';
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = 'high';
  context.drawImage(picture, 0, 0, width, height);
  return new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', QUALITY));
}

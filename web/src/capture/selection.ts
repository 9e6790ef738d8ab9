/** What somebody is about to send, and into which notes it goes. */

export interface Picked {
  id: string;
  file: File;
  kind: Kind;
}

export type Kind = 'photo' | 'document';

/** The API's limits. */
export const MAX_FILES = 10;
export const MAX_BYTES = 20 * 1024 * 1024;

/** A PDF or an XML is a whole note by itself; undefined is what the service does not read. */
export function kindOf(file: { name: string; type: string }): Kind | undefined {
  const name = file.name.toLowerCase();
  if (/^image\/(jpeg|png|webp|hei[cf])$/.test(file.type) || /\.(jpe?g|png|webp|hei[cf])$/.test(name)) return 'photo';
  if (/^(application\/pdf|(application|text)\/xml)$/.test(file.type) || /\.(pdf|xml)$/.test(name)) return 'document';
  return undefined;
}

/** Why a file is not taken; undefined when it is. */
export function refusal(file: { name: string; type: string; size: number }): string | undefined {
  if (kindOf(file) === undefined) return `${file.name}: só lemos fotos, PDF e XML.`;
  if (file.size === 0) return `${file.name}: o arquivo está vazio.`;
  // A photo becomes smaller before it is sent.
  if (kindOf(file) === 'document' && file.size > MAX_BYTES) return `${file.name}: o arquivo passa de 20 MB.`;
  return undefined;
}

/** The picked files, note by note: each document is one, and the photos are one in their order, or one each. */
export function intoNotes(picked: readonly Picked[], eachPhotoIsANote: boolean): Picked[][] {
  const photos = picked.filter((p) => p.kind === 'photo');
  const documents = picked.filter((p) => p.kind === 'document').map((p) => [p]);
  if (eachPhotoIsANote) return [...photos.map((p) => [p]), ...documents];
  return [...(photos.length > 0 ? [photos] : []), ...documents];
}

/** The list with one entry moved by one place, up (-1) or down (1). */
export function moved<T>(list: readonly T[], index: number, by: -1 | 1): T[] {
  const next = [...list];
  const [entry] = next.splice(index, 1);
  if (entry !== undefined) next.splice(Math.max(0, index + by), 0, entry);
  return next;
}

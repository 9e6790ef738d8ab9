/** The moment of a purchase in an input: Brasília's time, to the minute. */

const parts = new Intl.DateTimeFormat('sv-SE', {
  timeZone: 'America/Sao_Paulo',
  dateStyle: 'short',
  timeStyle: 'short',
});

/** "2026-11-23T14:05", the form of an input of type datetime-local. */
export const editMoment = (iso: string): string => parts.format(new Date(iso)).replace(' ', 'T');

/** The API's moment for such a text; undefined when it is none. Until 2019 there was summer time. */
export function parseMoment(local: string): string | undefined {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}$/.test(local)) return undefined;
  const found = ['-03:00', '-02:00']
    .map((offset) => `${local}:00${offset}`)
    .find((iso) => !Number.isNaN(Date.parse(iso)) && editMoment(iso) === local);
  return found;
}

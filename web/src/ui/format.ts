/** How Brazilians write what the API sends. Amounts come formatted already; these are for the rest. */

const ZONE = 'America/Sao_Paulo';
const date = new Intl.DateTimeFormat('pt-BR', { timeZone: ZONE, day: '2-digit', month: '2-digit', year: 'numeric' });
const moment = new Intl.DateTimeFormat('pt-BR', { timeZone: ZONE, dateStyle: 'short', timeStyle: 'short' });

/** "23/11/2026", in Brasília's time whatever the device's. */
export const formatDate = (iso: string): string => date.format(new Date(iso));

/** "23/11/2026, 14:05" */
export const formatMoment = (iso: string): string => moment.format(new Date(iso));

/** "1.234,5" for the API's "1234.50". By text: a number of JavaScript would round it. */
export function formatDecimal(decimal: string): string {
  const [whole = '0', fraction = ''] = decimal.replace('-', '').split('.');
  const rest = fraction.replace(/0+$/, '');
  const sign = decimal.startsWith('-') ? '-' : '';
  return sign + whole.replace(/\B(?=(\d{3})+$)/g, '.') + (rest === '' ? '' : `,${rest}`);
}

/** The API's "5123.45" for what somebody typed: "5.123,45", "R$ 5123,45", "5123.45"; undefined when it is no amount. */
export function parseAmount(text: string): string | undefined {
  const bare = text.replace(/R\$|\s/g, '');
  const brazilian = /^\d{1,3}(\.\d{3})+(,\d{1,2})?$|^\d+(,\d{1,2})?$/;
  if (brazilian.test(bare)) return bare.replaceAll('.', '').replace(',', '.');
  return /^\d+\.\d{1,2}$/.test(bare) ? bare : undefined;
}

/** "3 itens", "1 item". */
export const count = (n: number, one: string, many: string): string => `${n} ${n === 1 ? one : many}`;

/** "1,2 MB" */
export function formatBytes(bytes: number): string {
  if (bytes < 1024 * 1024) return `${Math.max(1, Math.round(bytes / 1024))} KB`;
  return `${(bytes / (1024 * 1024)).toLocaleString('pt-BR', { maximumFractionDigits: 1 })} MB`;
}

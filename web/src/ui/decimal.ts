/** Decimal numbers as people type them and as the API takes them: texts throughout, for a number of JavaScript would round. */

export interface DecimalRules {
  /** The most decimals. */
  decimals: number;
  /**
   * Whether "1.234" is one thousand two hundred and thirty-four. Amounts are read so; of a quantity nobody can tell, and it is
   * not taken at all.
   */
  thousands: boolean;
}

export const MONEY: DecimalRules = { decimals: 2, thousands: true };
/** Prices of units: fuel and goods by weight have more decimals than money. */
export const PRICE: DecimalRules = { decimals: 10, thousands: true };
export const QUANTITY: DecimalRules = { decimals: 4, thousands: false };

/** The API's "1234.5" for "1.234,5", "R$ 1234,50" or "1234.50"; undefined for anything else, and for numbers below zero. */
export function parseDecimal(text: string, { decimals, thousands }: DecimalRules): string | undefined {
  const bare = text.replace(/R\$|\s/g, '');
  const grouped = /^[1-9]\d{0,2}(\.\d{3})+$/.test(bare);
  if (grouped && !thousands) return undefined;
  const whole = /^(\d+|[1-9]\d{0,2}(?:\.\d{3})+)?(?:,(\d+))?$/.exec(bare);
  const pointed = grouped ? null : /^(\d*)\.(\d+)$/.exec(bare);
  const [, digits = '', fraction = ''] = whole ?? pointed ?? [];
  if (digits === '' && fraction === '') return undefined;
  const short = fraction.replace(/0+$/, '');
  if (short.length > decimals) return undefined;
  const plain = digits.replaceAll('.', '').replace(/^0+(?=\d)/, '') || '0';
  return short === '' ? plain : `${plain}.${short}`;
}

/** Whether two texts of the API are the same number: "1.50" and "1.5". */
export function sameDecimal(a: string, b: string): boolean {
  return normal(a) === normal(b);
}

function normal(decimal: string): string {
  const [whole = '', fraction = ''] = decimal.split('.');
  const rest = fraction.replace(/0+$/, '');
  return (whole.replace(/^0+(?=\d)/, '') || '0') + (rest === '' ? '' : `.${rest}`);
}

/** "1234,50" for 123450 centavos: what an input for money begins with. */
export function editMoney(centavos: number): string {
  const digits = String(Math.abs(centavos)).padStart(3, '0');
  return `${centavos < 0 ? '-' : ''}${digits.slice(0, -2)},${digits.slice(-2)}`;
}

/** "1234,5" for the API's "1234.50": without thousands, which are in the way while typing. */
export function editDecimal(decimal: string): string {
  return normal(decimal).replace('.', ',');
}

/** Centavos of the API's amount with up to two decimals. */
export function toCentavos(decimal: string): number {
  const [whole = '0', fraction = ''] = decimal.split('.');
  return Number(whole) * 100 + Number(fraction.padEnd(2, '0').slice(0, 2));
}

const reais = new Intl.NumberFormat('pt-BR', { style: 'currency', currency: 'BRL' });

/** "R$ 1.234,56"; exact for every amount that fits in a number of centavos. */
export const formatMoney = (centavos: number): string => reais.format(centavos / 100).replace(/\u00a0/g, ' ');

/** "R$ 4,99", with more decimals where the price has them. */
export function formatPrice(decimal: string): string {
  const [whole = '0', fraction = ''] = decimal.split('.');
  const rest = fraction.replace(/0+$/, '').padEnd(2, '0');
  return `R$ ${whole.replace(/\B(?=(\d{3})+$)/g, '.')},${rest}`;
}

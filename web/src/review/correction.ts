import type {
  CorrectInvoiceInput,
  ItemCorrectionInput,
  NewItemInput,
  PaymentInput,
  TotalsInput,
} from '../graphql/generated/graphql';
import { type DecimalRules, MONEY, parseDecimal, PRICE, QUANTITY, sameDecimal } from '../ui/decimal';
import { type Draft, isNew, LINE_FIELDS, type LineDraft, type LineField, type NoteField, TOTALS } from './draft';
import { parseMoment } from './moment';

/** Where something was typed that is not taken: "note.due", "payment.0", or a line's key and field. */
export type Place = string;
export const notePlace = (field: NoteField): Place => `note.${field}`;
export const paymentPlace = (index: number): Place => `payment.${index}`;
export const linePlace = (key: string, field: LineField): Place => `${key}.${field}`;

export interface Correction {
  /** Undefined when nothing has changed. */
  input: Omit<CorrectInvoiceInput, 'invoiceId' | 'expectedVersion'> | undefined;
  errors: Map<Place, string>;
  /** The keys of the lines in input.addItems. */
  addedKeys: string[];
}

const RULES: Partial<Record<LineField, DecimalRules>> = {
  quantity: QUANTITY,
  unitPrice: PRICE,
  total: MONEY,
  discount: MONEY,
};

/** The difference between what was there and what is there now, as the API takes it. */
export function correction(base: Draft, now: Draft): Correction {
  const errors = new Map<Place, string>();
  const addedKeys: string[] = [];
  const input = {
    ...noteChanges(base, now, errors),
    ...paymentChanges(base, now, errors),
    ...lineChanges(base, now, errors, addedKeys),
  };
  return { input: Object.keys(input).length === 0 ? undefined : input, errors, addedKeys };
}

/** The place of the field that the service blames: "totals.due", "items.2.quantity", "payments.0.amount". */
export function placeOf(field: string, { input, addedKeys }: Correction): Place {
  const [list = '', at = '', name = ''] = field.split('.');
  switch (list) {
    case 'totals':
      return `note.${at}`;
    case 'payments':
      return paymentPlace(Number(at));
    case 'items':
      return `${input?.items?.[Number(at)]?.itemId ?? ''}.${name}`;
    case 'addItems':
      return `${addedKeys[Number(at)] ?? ''}.${name}`;
    default:
      return `note.${field}`;
  }
}

function noteChanges(base: Draft, now: Draft, errors: Map<Place, string>) {
  const input: Partial<CorrectInvoiceInput> = {};
  const changed = (f: NoteField) => base.note[f].trim() !== now.note[f].trim();
  const orNull = (text: string) => (text.trim() === '' ? null : text.trim());
  if (changed('issuerName')) input.issuerName = orNull(now.note.issuerName);
  if (changed('issuerCnpj')) input.issuerCnpj = orNull(now.note.issuerCnpj);
  if (changed('accessKey')) input.accessKey = orNull(now.note.accessKey);
  if (changed('issuedAt')) {
    const moment = now.note.issuedAt === '' ? null : parseMoment(now.note.issuedAt);
    if (moment === undefined) errors.set(notePlace('issuedAt'), 'Escreva o dia e a hora.');
    else input.issuedAt = moment;
  }
  for (const f of ['number', 'series'] as const) {
    if (!changed(f)) continue;
    const text = now.note[f].trim();
    if (/^\d{0,9}$/.test(text)) input[f] = text === '' ? null : Number(text);
    else errors.set(notePlace(f), 'Só algarismos, até nove.');
  }
  const totals: TotalsInput = {};
  for (const f of TOTALS) {
    const typed = now.note[f].trim();
    if (!changed(f) || same(base.note[f], typed, MONEY)) continue;
    const amount = typed === '' ? null : parseDecimal(typed, MONEY);
    if (amount === undefined) errors.set(notePlace(f), WRONG_AMOUNT);
    else totals[f] = amount;
  }
  return Object.keys(totals).length === 0 ? input : { ...input, totals };
}

function paymentChanges(base: Draft, now: Draft, errors: Map<Place, string>): { payments?: PaymentInput[] } {
  const payments: PaymentInput[] = [];
  now.payments.forEach((p, i) => {
    const amount = parseDecimal(p.amount, MONEY);
    if (amount === undefined) errors.set(paymentPlace(i), WRONG_AMOUNT);
    else payments.push({ method: p.method, amount });
  });
  const unchanged =
    base.payments.length === now.payments.length &&
    base.payments.every((p, i) => {
      const q = now.payments[i];
      return q !== undefined && p.method === q.method && same(p.amount, q.amount, MONEY);
    });
  return unchanged ? {} : { payments };
}

function lineChanges(base: Draft, now: Draft, errors: Map<Place, string>, addedKeys: string[]) {
  const before = new Map(base.lines.map((l) => [l.key, l]));
  const items: ItemCorrectionInput[] = [];
  const addItems: NewItemInput[] = [];
  const removeItemIds: string[] = [];
  let above = 0;
  for (const line of now.lines) {
    const was = before.get(line.key);
    if (isNew(line)) {
      const item = addition(line, above, errors);
      if (item !== undefined) {
        addItems.push(item);
        addedKeys.push(line.key);
      }
      continue;
    }
    above = line.number;
    if (was === undefined) continue;
    if (line.removed) removeItemIds.push(line.key);
    else {
      const change = lineChange(was, line, errors);
      if (Object.keys(change).length > 0) items.push({ itemId: line.key, ...change });
    }
  }
  return {
    ...(items.length > 0 ? { items } : {}),
    ...(addItems.length > 0 ? { addItems } : {}),
    ...(removeItemIds.length > 0 ? { removeItemIds } : {}),
  };
}

function lineChange(was: LineDraft, line: LineDraft, errors: Map<Place, string>): Omit<ItemCorrectionInput, 'itemId'> {
  const change: Omit<ItemCorrectionInput, 'itemId'> = {};
  for (const f of LINE_FIELDS) {
    const typed = line[f].trim();
    const rules = RULES[f];
    if (was[f].trim() === typed || (rules !== undefined && same(was[f], typed, rules))) continue;
    if (rules !== undefined) {
      const number = parseDecimal(typed, rules);
      if (number === undefined) errors.set(linePlace(line.key, f), wrong(f));
      else change[f] = number;
    } else if (f === 'description' && typed === '') errors.set(linePlace(line.key, f), 'Escreva como está na nota.');
    // What was learned of a product can be replaced, and not taken back.
    else if (typed !== '' || f === 'unit' || f === 'gtin') change[f] = typed;
  }
  return change;
}

/** Undefined for a line that nobody has filled in. */
function addition(line: LineDraft, above: number, errors: Map<Place, string>): NewItemInput | undefined {
  const { key } = line;
  if (line.removed || (line.description.trim() === '' && line.unitPrice.trim() === '' && line.total.trim() === '')) {
    return undefined;
  }
  const read = (f: 'quantity' | 'unitPrice' | 'total' | 'discount', rules: DecimalRules) => {
    const number = parseDecimal(line[f], rules);
    if (number === undefined) errors.set(linePlace(key, f), wrong(f));
    return number ?? '0';
  };
  if (line.description.trim() === '') errors.set(linePlace(key, 'description'), 'Escreva como está na nota.');
  return {
    afterLine: above,
    description: line.description.trim(),
    quantity: read('quantity', QUANTITY),
    unitPrice: read('unitPrice', PRICE),
    ...(line.total.trim() === '' ? {} : { total: read('total', MONEY) }),
    ...(line.discount.trim() === '' ? {} : { discount: read('discount', MONEY) }),
    ...(line.unit.trim() === '' ? {} : { unit: line.unit.trim() }),
    ...(line.gtin.trim() === '' ? {} : { gtin: line.gtin.trim() }),
  };
}

const WRONG_AMOUNT = 'Escreva um valor como 1.234,56.';
const wrong = (f: LineField): string =>
  f === 'quantity'
    ? 'Escreva com vírgula, como 1,234.'
    : f === 'unitPrice'
      ? 'Escreva um preço como 4,99.'
      : WRONG_AMOUNT;

function same(a: string, b: string, rules: DecimalRules): boolean {
  const [x, y] = [parseDecimal(a, rules), parseDecimal(b, rules)];
  return x !== undefined && y !== undefined && sameDecimal(x, y);
}

import { expect, test } from 'vitest';
import type { ReviewedFragment } from '../graphql/generated/graphql';
import { differences, rebase } from './conflict';
import { correction, linePlace, placeOf } from './correction';
import { type Draft, type LineDraft, newLine, toDraft } from './draft';
import { parseMoment } from './moment';

const money = (centavos: number) => ({ centavos, formatted: '' });

const invoice = {
  issuer: { name: 'Mercado', cnpj: '11222333000181' },
  issuedAt: '2026-11-23T14:05:33-03:00',
  accessKey: null,
  number: 12,
  series: 0,
  totals: {
    ...{ products: money(1500), discount: money(0), freight: money(0), insurance: money(0), other: money(0) },
    ...{ taxes: money(0), due: money(1500), paid: null, change: money(0) },
  },
  payments: [{ method: 'PIX', amount: money(1500) }],
  items: [
    {
      id: 'a',
      lineNumber: 1,
      description: 'PAO',
      quantity: '1.500',
      unit: 'KG',
      unitPrice: '6.6666',
      total: money(1000),
    },
    { id: 'b', lineNumber: 2, description: 'LEITE', quantity: '1', unit: 'UN', unitPrice: '5', total: money(500) },
  ].map((it) => ({ ...it, gtin: null, discount: money(0), uncertain: false, category: null, product: null })),
} as unknown as ReviewedFragment;

const base = (): Draft => toDraft(invoice);
const set = (draft: Draft, key: string, change: Partial<LineDraft>): Draft => ({
  ...draft,
  lines: draft.lines.map((l) => (l.key === key ? { ...l, ...change } : l)),
});

test('what is as before is not sent', () => {
  expect(correction(base(), base()).input).toBeUndefined();
  const again = set(base(), 'a', { quantity: '1,50', total: 'R$ 10', unitPrice: '6,66660' });
  expect(correction(base(), again).input).toBeUndefined();
});

test('only what has changed is sent, with decimal points', () => {
  const now = set(base(), 'a', { quantity: '1,234', category: 'bread' });
  now.note = { ...now.note, due: '1.234,50', paid: '20', series: '' };
  expect(correction(base(), now).input).toEqual({
    series: null,
    totals: { due: '1234.5', paid: '20' },
    items: [{ itemId: 'a', quantity: '1.234', category: 'bread' }],
  });
});

test('lines are added where they stand, and removed', () => {
  const added = { ...newLine(), description: 'SACOLA', unitPrice: '0,10' };
  const draft = set(base(), 'b', { removed: true });
  const now = { ...draft, lines: draft.lines.toSpliced(1, 0, added, newLine()) };
  const sent = correction(base(), now);
  expect(sent.input).toEqual({
    addItems: [{ afterLine: 1, description: 'SACOLA', quantity: '1', unit: 'UN', unitPrice: '0.1', discount: '0' }],
    removeItemIds: ['b'],
  });
  expect(placeOf('addItems.0.unitPrice', sent)).toBe(linePlace(added.key, 'unitPrice'));
});

test('what is not understood is named and not sent', () => {
  const now = set(base(), 'a', { total: 'abc', description: ' ' });
  now.payments = [{ method: 'CASH', amount: '' }];
  const { errors } = correction(base(), now);
  expect([...errors.keys()]).toEqual(['payment.0', 'a.description', 'a.total']);
});

test('payments go all together', () => {
  const now = { ...base(), payments: [...base().payments, { method: 'CASH' as const, amount: '1' }] };
  expect(correction(base(), now).input).toEqual({
    payments: [
      { method: 'PIX', amount: '15' },
      { method: 'CASH', amount: '1' },
    ],
  });
});

test('the service’s blame finds its field', () => {
  const sent = correction(base(), set(base(), 'b', { gtin: '1' }));
  expect(placeOf('items.0.gtin', sent)).toBe('b.gtin');
  expect(placeOf('totals.due', sent)).toBe('note.due');
  expect(placeOf('issuerCnpj', sent)).toBe('note.issuerCnpj');
  expect(placeOf('payments.1.amount', sent)).toBe('payment.1');
});

test('a moment is Brasília’s, with summer time where there was one', () => {
  expect(base().note.issuedAt).toBe('2026-11-23T14:05');
  expect(parseMoment('2026-11-23T14:05')).toBe('2026-11-23T14:05:00-03:00');
  expect(parseMoment('2018-12-25T10:00')).toBe('2018-12-25T10:00:00-02:00');
  expect([parseMoment(''), parseMoment('2026-13-01T10:00')]).toEqual([undefined, undefined]);
});

test('after somebody else’s change what was typed stands upon the fresh invoice', () => {
  const mine = set(base(), 'a', { total: '9,00' });
  const added = { ...newLine(), description: 'SACOLA' };
  mine.lines = [...mine.lines, added];
  const fresh = set(base(), 'a', { total: '8,00', description: 'PAO FRANCES' });
  fresh.lines = fresh.lines.filter((l) => l.key !== 'b');
  expect(differences(base(), fresh)).toEqual([
    { label: 'Descrição na nota, linha 1', before: 'PAO', after: 'PAO FRANCES' },
    { label: 'Total, linha 1', before: '10,00', after: '8,00' },
    { label: 'Linha 2', before: 'LEITE R$ 5,00', after: '' },
  ]);
  const { lines } = rebase(base(), mine, fresh);
  expect(lines.map((l) => [l.description, l.total])).toEqual([
    ['PAO FRANCES', '9,00'],
    ['SACOLA', ''],
  ]);
});

import { expect, test } from 'vitest';
import { count, formatBytes, formatDate, formatDecimal, formatMoment, parseAmount } from './format';

test.each([
  ['1', '1'],
  ['1.500', '1,5'],
  ['1234567.8901', '1.234.567,8901'],
  ['-0.5', '-0,5'],
  ['0.00', '0'],
  ['12345678901234567890.1', '12.345.678.901.234.567.890,1'],
])('formatDecimal %s', (from, to) => {
  expect(formatDecimal(from)).toBe(to);
});

test.each([
  ['5.123,45', '5123.45'],
  ['R$ 5123,45', '5123.45'],
  ['5123.45', '5123.45'],
  ['5.123', '5123'],
  ['0', '0'],
  ['1.234.567,8', '1234567.8'],
  ['', undefined],
  ['-1', undefined],
  ['12,345', undefined],
  ['1.23.456', undefined],
  ['mil', undefined],
])('parseAmount %s', (from, to) => {
  expect(parseAmount(from)).toBe(to);
});

test("days are Brasília's", () => {
  expect(formatDate('2026-11-24T01:30:00Z')).toBe('23/11/2026');
  expect(formatMoment('2026-11-23T14:05:00-03:00')).toBe('23/11/2026, 14:05');
});

test('counts and sizes', () => {
  expect(count(1, 'item', 'itens')).toBe('1 item');
  expect(count(0, 'item', 'itens')).toBe('0 itens');
  expect(formatBytes(1)).toBe('1 KB');
  expect(formatBytes(1.25 * 1024 * 1024)).toBe('1,3 MB');
});

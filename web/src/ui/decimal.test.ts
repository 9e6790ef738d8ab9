import { expect, test } from 'vitest';
import {
  editDecimal,
  editMoney,
  formatMoney,
  formatPrice,
  MONEY,
  parseDecimal,
  PRICE,
  QUANTITY,
  sameDecimal,
  toCentavos,
} from './decimal';

test.each([
  ['1.234,56', '1234.56'],
  ['R$ 1.234,50', '1234.5'],
  ['12', '12'],
  ['0', '0'],
  ['007,10', '7.1'],
  [',5', '0.5'],
  ['4.99', '4.99'],
  ['1.234', '1234'],
  ['12.345.678,9', '12345678.9'],
  ['4,990', '4.99'],
])('takes the amount %s', (typed, sent) => {
  expect(parseDecimal(typed, MONEY)).toBe(sent);
});

test.each(['', 'abc', '-1', '1,234', '1.23.4', '1,2,3', '.', ',', '12.34,5', '1.2345'])(
  'does not take the amount %j',
  (typed) => {
    expect(parseDecimal(typed, MONEY)).toBeUndefined();
  },
);

test('does not guess what a point means in a quantity', () => {
  expect(parseDecimal('1.234', QUANTITY)).toBeUndefined();
  expect(parseDecimal('0.350', QUANTITY)).toBe('0.35');
  expect(parseDecimal('1,234', QUANTITY)).toBe('1.234');
  expect(parseDecimal('1,23456', QUANTITY)).toBeUndefined();
});

test('keeps ten decimals of a price', () => {
  expect(parseDecimal('1,0123456789', PRICE)).toBe('1.0123456789');
  expect(parseDecimal('1,01234567891', PRICE)).toBeUndefined();
});

test('compares numbers, not texts', () => {
  expect(sameDecimal('1.50', '01.5')).toBe(true);
  expect(sameDecimal('1.50', '1.51')).toBe(false);
  expect(sameDecimal('2', '2.000')).toBe(true);
});

test('writes what an input begins with', () => {
  expect([editMoney(5), editMoney(123456), editMoney(-50)]).toEqual(['0,05', '1234,56', '-0,50']);
  expect([editDecimal('1.5000'), editDecimal('1234')]).toEqual(['1,5', '1234']);
});

test('writes for people', () => {
  expect(formatMoney(123456)).toBe('R$ 1.234,56');
  expect([formatPrice('4.9'), formatPrice('1234.5678')]).toEqual(['R$ 4,90', 'R$ 1.234,5678']);
  expect([toCentavos('1.5'), toCentavos('12'), toCentavos('0.05')]).toEqual([150, 1200, 5]);
});

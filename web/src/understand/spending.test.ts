import { expect, test } from 'vitest';
import { change, drawn, readGroup } from './spending';

test('a difference is told in words', () => {
  expect([change(2000, 1000), change(1000, 2050), change(5, 5)]).toEqual([
    'R$ 10,00 a mais',
    'R$ 10,50 a menos',
    'igual',
  ]);
});

test('a drawing has the largest groups, and the last months', () => {
  const twenty = Array.from({ length: 20 }, (_, i) => i);
  expect(drawn(twenty, 'PRODUCT')).toEqual(twenty.slice(0, 12));
  expect(drawn(twenty, 'MONTH')).toEqual(twenty.slice(8));
  expect(drawn([1], 'MONTH')).toEqual([1]);
});

test('an address names a division', () => {
  expect([readGroup('loja'), readGroup(null), readGroup('constructor')]).toEqual(['MERCHANT', 'CATEGORY', 'CATEGORY']);
});

import { expect, test } from 'vitest';
import { describe } from './details';

const money = (centavos: number, formatted: string) => ({ centavos, formatted });

test('amounts, percentages and counts', () => {
  expect(
    describe({
      month_spent: money(123456, 'R$ 1.234,56'),
      percent_of_income: '24.5',
      invoice_count: 3,
      has_children: false,
    }),
  ).toEqual([
    { label: 'Gasto do mês', value: 'R$ 1.234,56' },
    { label: 'Parte da renda', value: '24,5%' },
    { label: 'Compras', value: '3' },
    { label: 'Há crianças', value: 'não' },
  ]);
});

test('lists of objects begin with their name', () => {
  const item = { product: 'Manga', measure: 'KG', current_price: money(900, 'R$ 9,00'), difference_percent: '50.0' };
  expect(describe({ off_season_items: [item] })).toEqual([
    { label: 'Itens fora de época', parts: ['Manga: medida quilo, preço agora R$ 9,00, diferença 50%'] },
  ]);
});

test('codes have names, and maps are lists', () => {
  expect(
    describe({ missing_groups: ['FRUITS'], group_percentages: { DAIRY: '12.0' }, analysis_types: { PRICE_ALERT: 2 } }),
  ).toEqual([
    { label: 'Grupos que faltam', parts: ['Frutas'] },
    { label: 'Participação de cada grupo', parts: ['Leite e derivados: 12%'] },
    { label: 'Tipos de análise', parts: ['Alerta de preço: 2'] },
  ]);
});

test('what is empty or unknown does no harm', () => {
  expect(describe(null)).toEqual([]);
  expect(describe({ categories: [], group_totals: {}, new_field: 'x' })).toEqual([{ label: 'new field', value: 'x' }]);
});

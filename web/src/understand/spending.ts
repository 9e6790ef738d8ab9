import type { SpendingGroup } from '../graphql/generated/graphql';
import { formatMoney } from '../ui/decimal';

export const GROUPS: Record<SpendingGroup, { label: string; heading: string; column: string; address: string }> = {
  CATEGORY: { label: 'Categoria', heading: 'Gastos por categoria', column: 'Categoria', address: 'categoria' },
  MERCHANT: { label: 'Loja', heading: 'Gastos por loja', column: 'Loja', address: 'loja' },
  MONTH: { label: 'Mês', heading: 'Gastos por mês', column: 'Mês', address: 'mes' },
  PRODUCT: { label: 'Produto', heading: 'Gastos por produto', column: 'Produto', address: 'produto' },
};

/** The division in an address; by category where there is none. */
export function readGroup(address: string | null): SpendingGroup {
  const found = (Object.keys(GROUPS) as SpendingGroup[]).find((g) => GROUPS[g].address === address);
  return found ?? 'CATEGORY';
}

/** "R$ 20,00 a mais", beside what was spent before. */
export function change(now: number, before: number): string {
  if (now === before) return 'igual';
  return `${formatMoney(Math.abs(now - before))} a ${now > before ? 'mais' : 'menos'}`;
}

const LARGEST = 12;

/** The groups that fit in a drawing: the largest ones, and of months the last ones. */
export function drawn<T>(groups: T[], groupBy: SpendingGroup): T[] {
  return groupBy === 'MONTH' ? groups.slice(-LARGEST) : groups.slice(0, LARGEST);
}

import type { ReactNode } from 'react';
import { Page } from '../ui/Page';
import { Sections } from '../ui/Sections';

const PAGES = [
  { href: '/entender', label: 'Avisos' },
  { href: '/entender/gastos', label: 'Gastos' },
  { href: '/entender/produtos', label: 'Produtos' },
  { href: '/entender/cesta', label: 'Cesta' },
  { href: '/entender/exportar', label: 'Exportar' },
];

/** The frame of the pages that make sense of purchases. */
export function Understand({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Page title={title}>
      <Sections label="Entender" pages={PAGES} />
      {children}
    </Page>
  );
}

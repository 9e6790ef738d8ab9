import type { ReactNode } from 'react';
import { Page } from '../ui/Page';
import { Sections } from '../ui/Sections';

const PAGES = [
  { href: '/admin', label: 'Uso e custo' },
  { href: '/admin/provedores', label: 'Provedores' },
  { href: '/admin/planos', label: 'Planos' },
  { href: '/admin/registro', label: 'Registro' },
];

/** The frame of the pages for who looks after the service. */
export function Admin({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Page title={title}>
      <Sections label="Administração" pages={PAGES} />
      {children}
    </Page>
  );
}

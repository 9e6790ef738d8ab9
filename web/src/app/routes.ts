import { lazy, type ComponentType, type LazyExoticComponent } from 'react';

/** What paths may hold. */
export interface Params {
  id: string;
}

/** A page. Its code is loaded when it is first shown. */
export interface Route {
  /** In wouter's form: "/notas/:id". Parameters come as props of the same name. */
  path: string;
  page: LazyExoticComponent<ComponentType<Params>>;
  /** Set for what the navigation leads to. */
  nav?: { label: string; icon: 'notes' | 'add' | 'chart' | 'person' };
  /** True for admins alone. */
  admin?: boolean;
}

/** Every page of somebody who is signed in. The navigation has the order of this list. */
export const routes: Route[] = [
  {
    path: '/',
    page: lazy(() => import('../watch/InvoicesPage')),
    nav: { label: 'Notas', icon: 'notes' },
  },
  {
    path: '/adicionar',
    page: lazy(() => import('../capture/CapturePage')),
    nav: { label: 'Adicionar', icon: 'add' },
  },
  { path: '/notas/:id', page: lazy(() => import('../watch/InvoicePage')) },
  {
    path: '/conta',
    page: lazy(() => import('../account/AccountPage')),
    nav: { label: 'Conta', icon: 'person' },
  },
];

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
  nav?: { label: string; icon: 'notes' | 'add' | 'chart' | 'person' | 'gear' };
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
  { path: '/notas/:id/revisar', page: lazy(() => import('../review/ReviewPage')) },
  {
    path: '/entender',
    page: lazy(() => import('../understand/InsightsPage')),
    nav: { label: 'Entender', icon: 'chart' },
  },
  { path: '/entender/gastos', page: lazy(() => import('../understand/SpendingPage')) },
  { path: '/entender/produtos', page: lazy(() => import('../understand/ProductsPage')) },
  { path: '/entender/produtos/:id', page: lazy(() => import('../understand/ProductPage')) },
  { path: '/entender/cesta', page: lazy(() => import('../understand/BasketPage')) },
  { path: '/entender/exportar', page: lazy(() => import('../understand/ExportPage')) },
  {
    path: '/conta',
    page: lazy(() => import('../account/AccountPage')),
    nav: { label: 'Conta', icon: 'person' },
  },
  {
    path: '/admin',
    page: lazy(() => import('../admin/UsagePage')),
    nav: { label: 'Admin', icon: 'gear' },
    admin: true,
  },
  { path: '/admin/provedores', page: lazy(() => import('../admin/ProvidersPage')), admin: true },
  { path: '/admin/planos', page: lazy(() => import('../admin/PlansPage')), admin: true },
  { path: '/admin/registro', page: lazy(() => import('../admin/AuditPage')), admin: true },
];

import { Suspense, type ReactNode } from 'react';
import { Link, Redirect, Route, Switch, useLocation } from 'wouter';
import { useQuery } from 'urql';
import { ViewerDocument } from '../graphql/generated/graphql';
import { Loading } from '../ui/Feedback';
import { ErrorBoundary } from './ErrorBoundary';
import { Icon } from './Icon';
import { NotFound } from './NotFound';
import { routes } from './routes';
import css from './Shell.module.css';

/** What surrounds the pages of somebody who is signed in: a bar at the bottom on phones, at the side on larger screens. */
export function Shell() {
  const [{ data }] = useQuery({ query: ViewerDocument });
  const isAdmin = data?.viewer?.role === 'ADMIN';
  const mine = routes.filter((r) => r.admin !== true || isAdmin);
  return (
    <div className={css['shell']}>
      <nav className={css['nav']} aria-label="Principal">
        <p className={css['brand']} aria-hidden="true">
          Mercado Esperto
        </p>
        <ul className={css['links']}>
          {mine.map(
            (r) =>
              r.nav !== undefined && (
                <li key={r.path}>
                  <NavLink href={r.path}>
                    <Icon name={r.nav.icon} />
                    {r.nav.label}
                  </NavLink>
                </li>
              ),
          )}
        </ul>
      </nav>
      <main id="main" className={css['main']} tabIndex={-1}>
        <Frame>
          <Switch>
            {mine.map((r) => (
              <Route key={r.path} path={r.path}>
                {(params: { id?: string }) => <r.page key={params.id} id={params.id ?? ''} />}
              </Route>
            ))}
            <Route path="/entrar">
              <Redirect to="/" replace />
            </Route>
            <Route path="/criar-conta">
              <Redirect to="/" replace />
            </Route>
            <Route>
              <NotFound />
            </Route>
          </Switch>
        </Frame>
      </main>
    </div>
  );
}

/** A page that fails leaves the navigation as it is, and another address gets another chance. */
function Frame({ children }: { children: ReactNode }) {
  const [location] = useLocation();
  return (
    <ErrorBoundary key={location}>
      <Suspense fallback={<Loading />}>{children}</Suspense>
    </ErrorBoundary>
  );
}

function NavLink({ href, children }: { href: string; children: ReactNode }) {
  const [location] = useLocation();
  const here = location === href || location.startsWith(href === '/' ? '/notas/' : `${href}/`);
  return (
    <Link
      href={href}
      className={css['link'] ?? ''}
      {...(here ? { 'aria-current': location === href ? 'page' : true } : {})}
    >
      {children}
    </Link>
  );
}

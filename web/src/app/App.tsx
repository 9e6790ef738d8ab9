import { lazy, Suspense, useEffect, useMemo, useSyncExternalStore } from 'react';
import { Provider } from 'urql';
import { Redirect, Route, Router, Switch } from 'wouter';
import { submissions } from '../capture/submissions';
import { Loading } from '../ui/Feedback';
import { makeClient } from './client';
import css from './App.module.css';
import { ErrorBoundary } from './ErrorBoundary';
import { useHeldLocation } from './leaving';
import { Notices } from './Notices';
import { session } from './session';
import { Shell } from './Shell';

const SignInPage = lazy(() => import('../account/SignInPage'));
const SignUpPage = lazy(() => import('../account/SignUpPage'));

/** Chooses between the pages of somebody who is signed in and those of anybody. */
export function App() {
  useEffect(() => void session.load(), []);
  const state = useSyncExternalStore(session.subscribe, () => session.state);
  const epoch = useSyncExternalStore(session.subscribe, () => session.epoch);
  return (
    <Router hook={useHeldLocation}>
      <a className={css['skip']} href="#main">
        Pular para o conteúdo
      </a>
      <Notices />
      <ErrorBoundary>
        {state === 'unknown' ? <Loading /> : <Person key={epoch} signedIn={state === 'in'} />}
      </ErrorBoundary>
    </Router>
  );
}

/** Everything of one person, made anew for the next one. */
function Person({ signedIn }: { signedIn: boolean }) {
  const client = useMemo(() => makeClient(), []);
  useEffect(() => {
    void submissions.open(session.userId);
  }, []);
  return <Provider value={client}>{signedIn ? <Shell /> : <Visitor />}</Provider>;
}

function Visitor() {
  return (
    <main id="main" className={css['visitor']} tabIndex={-1}>
      <p className={css['brand']}>Mercado Esperto</p>
      <Suspense fallback={<Loading />}>
        <Switch>
          <Route path="/entrar" component={SignInPage} />
          <Route path="/criar-conta" component={SignUpPage} />
          <Route>
            <Redirect to="/entrar" replace />
          </Route>
        </Switch>
      </Suspense>
    </main>
  );
}

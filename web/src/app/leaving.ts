import { useLayoutEffect, useState, useSyncExternalStore } from 'react';
import type { BaseLocationHook } from 'wouter';
import { useBrowserLocation } from 'wouter/use-browser-location';

/** The page that is held, since it has something unsaved; undefined when any page may be left. */
let held: string | undefined;
/** Asks the person of the held page, and tells how to go on. */
let ask: ((leave: () => void) => void) | undefined;
const listeners = new Set<() => void>();

function hold(path: string | undefined, asker?: typeof ask): void {
  held = path;
  ask = asker;
  for (const listener of listeners) listener();
}

const subscribe = (listener: () => void): (() => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

/**
 * The router's location. A held page stays what is shown, whatever the address says: the browser's own back and forward cannot be
 * stopped, only not be followed.
 */
export const useHeldLocation: BaseLocationHook = (options: Parameters<typeof useBrowserLocation>[0]) => {
  const [path, navigate] = useBrowserLocation(options);
  const shown = useSyncExternalStore(subscribe, () => held) ?? path;
  const go: typeof navigate = (to, how) => {
    if (ask === undefined) navigate(to, how);
    else ask(() => navigate(to, how));
  };
  return [shown, go];
};

/** What a page shows while the person is asked. */
export interface Asking {
  leave: () => void;
  stay: () => void;
}

/** Asks before a page with something unsaved is left: by itself within the app, through the browser where the app ends. */
export function useLeaving(unsaved: boolean): Asking | undefined {
  const [asking, setAsking] = useState<Asking>();
  // Before the effects of the page that follows: it may redirect at once.
  useLayoutEffect(() => {
    if (!unsaved) return;
    const path = location.pathname;
    const question = (go: () => void, stay: () => void) => {
      const end = (then: () => void) => () => {
        setAsking(undefined);
        then();
      };
      const leave = () => {
        hold(undefined);
        go();
      };
      setAsking({ leave: end(leave), stay: end(stay) });
    };
    const back = () => {
      if (location.pathname === path) return;
      const putBack = () => history.pushState(null, '', path);
      question(() => undefined, putBack);
    };
    const close = (event: BeforeUnloadEvent) => event.preventDefault();
    hold(path, (go) => question(go, () => undefined));
    addEventListener('popstate', back);
    addEventListener('beforeunload', close);
    return () => {
      hold(undefined);
      removeEventListener('popstate', back);
      removeEventListener('beforeunload', close);
    };
  }, [unsaved]);
  return asking;
}

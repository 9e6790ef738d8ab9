import { useSyncExternalStore } from 'react';

function subscribe(listener: () => void): () => void {
  addEventListener('online', listener);
  addEventListener('offline', listener);
  return () => {
    removeEventListener('online', listener);
    removeEventListener('offline', listener);
  };
}

/** Whether the browser has a network at all; true does not promise that the service is there. */
export function useOnline(): boolean {
  return useSyncExternalStore(subscribe, () => navigator.onLine);
}

/** Waits for ms, or less when the network comes back or signal aborts; without a network until it is there. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const done = () => {
      clearTimeout(timer);
      removeEventListener('online', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    addEventListener('online', done);
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
    else if (navigator.onLine) timer = setTimeout(done, ms);
  });
}

/** Doubles from try to try, with a random part so that clients do not come back all at once. */
export function backOff(attempt: number, longestMs = 30_000): number {
  return Math.min(longestMs, 1000 * 2 ** attempt) * (0.5 + Math.random() / 2);
}

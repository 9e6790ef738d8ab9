import { notify } from './noticeStore';

/** More than this nobody waits for: the error is shown instead. */
const LONGEST_WAIT_S = 60;
const TRIES = 3;

export interface Patience {
  fetch: typeof fetch;
  wait(seconds: number): Promise<void>;
}

const browser: Patience = {
  fetch: (input, init) => fetch(input, init),
  wait: (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000)),
};

/** fetch that waits as long as a RATE_LIMITED answer asks for, and tries again: nothing was executed. */
export function patientFetch(around: Patience = browser): typeof fetch {
  return async (input, init) => {
    for (let attempt = 1; ; attempt++) {
      const response = await around.fetch(input, init);
      const seconds = Number(response.headers.get('Retry-After'));
      const worthIt = response.status === 429 && seconds > 0 && seconds <= LONGEST_WAIT_S;
      if (!worthIt || attempt === TRIES) return response;
      notify(`São pedidos demais de uma vez. Continuamos em ${seconds} s.`, seconds * 1000);
      await around.wait(seconds);
    }
  };
}

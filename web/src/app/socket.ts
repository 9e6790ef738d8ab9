import { createClient, type Client as Socket } from 'graphql-ws';
import { session } from './session';

const PING_MS = 10_000;
const PONG_MS = 5_000;
/** The service closes with it when a token is not good, or no longer. */
const FORBIDDEN = 4403;

/**
 * The websocket for subscriptions: opened when the first one begins, closed after the last. It does not retry by itself, since
 * whoever listens knows which event it saw last.
 */
export function openSocket(): Socket {
  let token: string | null = null;
  let silent: ReturnType<typeof setTimeout> | undefined;
  const socket = createClient({
    url: location.origin.replace(/^http/, 'ws') + '/graphql',
    retryAttempts: 0,
    keepAlive: PING_MS,
    connectionParams: async () => {
      token = await session.accessToken();
      return token === null ? {} : { Authorization: `Bearer ${token}` };
    },
    on: {
      // A phone that changes networks leaves connections that look alive.
      ping: (received) => {
        if (!received) silent = setTimeout(() => socket.terminate(), PONG_MS);
      },
      pong: (received) => {
        if (received) clearTimeout(silent);
      },
      closed: (event) => {
        clearTimeout(silent);
        const refused = (event as CloseEvent).code === FORBIDDEN;
        if (refused && token !== null) session.renew(token).catch(() => undefined); // the next connection tries again
      },
    },
  });
  addEventListener('offline', () => socket.terminate());
  return socket;
}

import { db } from './db';
import { renewTokens, type Tokens } from './tokens';

/**
 * Who is signed in, shared by all tabs.
 *
 * A refresh token is good once, and a second use ends the session everywhere. So the newest tokens live in IndexedDB, only the tab
 * that holds the lock takes a session further, and the others find its result. The access token lies beside the refresh token,
 * which is worth more: otherwise each reload would have to refresh, and a reload in the middle of one would sign the person out.
 */
export type SessionState = 'unknown' | 'in' | 'out';

/** What the session needs of the browser; tests bring their own. */
export interface Surroundings {
  read(): Promise<Tokens | undefined>;
  write(tokens: Tokens | undefined): Promise<void>;
  /** Runs work while no other tab does. */
  lock<T>(work: () => Promise<T>): Promise<T>;
  /** New tokens for old ones; null when the service does not take them any more. Throws when it cannot be asked. */
  renew(refreshToken: string): Promise<Tokens | null>;
  /** Tells the other tabs that what is stored has changed. */
  tell(): void;
  now(): number;
}

/** A token that ends so soon might end on its way. */
const MARGIN_MS = 20_000;

export class Session {
  state: SessionState = 'unknown';
  /** Counts the people: it changes at each sign-in and sign-out, and not when a session goes on. */
  epoch = 0;
  private tokens: Tokens | undefined;
  private readonly listeners = new Set<() => void>();

  constructor(private readonly around: Surroundings) {}

  get userId(): string | undefined {
    return this.tokens?.userId;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Takes what is stored: at the start, and when another tab has changed it. */
  load = async (): Promise<void> => {
    this.take(await this.around.read());
  };

  /** The access token, after a refresh where it is due; null when nobody is signed in. Throws when the service is out of reach. */
  async accessToken(): Promise<string | null> {
    if (this.state === 'unknown') await this.load();
    if (this.tokens === undefined) return null;
    if (this.isFresh(this.tokens)) return this.tokens.accessToken;
    return this.renew(this.tokens.accessToken);
  }

  /** Whether token is the one to send now. */
  holds(token: string | null): boolean {
    return this.tokens !== undefined && this.tokens.accessToken === token && this.isFresh(this.tokens);
  }

  /** A token in place of one that the service did not take; null when the session is over. */
  async renew(refused: string): Promise<string | null> {
    return this.around.lock(async () => {
      const stored = await this.around.read();
      if (stored === undefined) {
        this.take(undefined);
        return null;
      }
      if (stored.accessToken !== refused && this.isFresh(stored)) {
        this.take(stored); // another tab was first
        return stored.accessToken;
      }
      const next = await this.around.renew(stored.refreshToken);
      await this.store(next ?? undefined);
      return next?.accessToken ?? null;
    });
  }

  async begin(tokens: Tokens): Promise<void> {
    await this.around.lock(() => this.store(tokens));
  }

  async end(): Promise<void> {
    await this.around.lock(() => this.store(undefined));
  }

  private async store(tokens: Tokens | undefined): Promise<void> {
    await this.around.write(tokens);
    this.take(tokens);
    this.around.tell();
  }

  private take(tokens: Tokens | undefined): void {
    const before = this.state;
    const changed = this.tokens?.userId !== tokens?.userId;
    this.tokens = tokens;
    this.state = tokens === undefined ? 'out' : 'in';
    if (changed) this.epoch++;
    if (changed || before !== this.state) for (const listener of this.listeners) listener();
  }

  private isFresh(tokens: Tokens): boolean {
    return Date.parse(tokens.expiresAt) - MARGIN_MS > this.around.now();
  }
}

const channel = new BroadcastChannel('session');

export const session = new Session({
  read: () => db.get<Tokens>('session', 'tokens'),
  write: (tokens) => (tokens === undefined ? db.remove('session', 'tokens') : db.put('session', 'tokens', tokens)),
  lock: async <T>(work: () => Promise<T>): Promise<T> => navigator.locks.request('session', work),
  renew: renewTokens,
  tell: () => channel.postMessage('changed'),
  now: Date.now,
});

channel.onmessage = () => void session.load();

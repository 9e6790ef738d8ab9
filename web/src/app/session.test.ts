import { beforeAll, describe, expect, test, vi } from 'vitest';
import type { Session as SessionType, Surroundings } from './session';
import type { Tokens } from './tokens';

let Session: typeof SessionType;
beforeAll(async () => {
  ({ Session } = await import('./session'));
});

const NOW = Date.parse('2026-11-23T12:00:00Z');
const tokens = (n: number, minutes = 15, userId = 'ana'): Tokens => ({
  accessToken: `access-${n}`,
  refreshToken: `refresh-${n}`,
  expiresAt: new Date(NOW + minutes * 60_000).toISOString(),
  userId,
});

/** One browser: what is stored and locked is shared by its tabs, and a refresh token is good once. */
function browser(first: Tokens | undefined) {
  let stored = first;
  let queue: Promise<unknown> = Promise.resolve();
  const used = new Set<string>();
  let n = 1;
  const renew = vi.fn((refreshToken: string): Promise<Tokens | null> => {
    if (used.has(refreshToken)) return Promise.resolve(null);
    used.add(refreshToken);
    return Promise.resolve(tokens(++n));
  });
  const around: Surroundings = {
    read: () => Promise.resolve(stored),
    write: (next) => {
      stored = next;
      return Promise.resolve();
    },
    lock: <T>(work: () => Promise<T>) => {
      const turn = queue.then(work, work);
      queue = turn.catch(() => undefined);
      return turn;
    },
    renew,
    tell: vi.fn(),
    now: () => NOW,
  };
  return { around, renew, stored: () => stored };
}

describe('a session', () => {
  test('sends the token that is stored while it is good', async () => {
    const { around, renew } = browser(tokens(1));
    expect(await new Session(around).accessToken()).toBe('access-1');
    expect(renew).not.toHaveBeenCalled();
  });

  test.each([
    ['just before the margin', 21, false],
    ['within the margin', 20, true],
    ['after its end', -1, true],
  ])('%s is refreshed: %#', async (_name, seconds, refreshed) => {
    const { around, renew } = browser(tokens(1, seconds / 60));
    await new Session(around).accessToken();
    expect(renew).toHaveBeenCalledTimes(refreshed ? 1 : 0);
  });

  test('is refreshed once for many requests of many tabs', async () => {
    const { around, renew } = browser(tokens(1, -1));
    const tabs = [new Session(around), new Session(around), new Session(around)];
    const got = await Promise.all(tabs.flatMap((tab) => [tab.accessToken(), tab.accessToken()]));
    expect(new Set(got)).toEqual(new Set(['access-2']));
    expect(renew).toHaveBeenCalledTimes(1);
  });

  test('is refreshed when the service refuses a token that looks good', async () => {
    const { around } = browser(tokens(1));
    const session = new Session(around);
    await session.load();
    expect(await session.renew('access-1')).toBe('access-2');
    expect(session.holds('access-2')).toBe(true);
    expect(session.holds('access-1')).toBe(false);
  });

  test('ends when the service does not take it further', async () => {
    const { around, renew, stored } = browser(tokens(1, -1));
    renew.mockResolvedValueOnce(null);
    const session = new Session(around);
    const changed = vi.fn();
    session.subscribe(changed);
    expect(await session.accessToken()).toBeNull();
    expect(session.state).toBe('out');
    expect(stored()).toBeUndefined();
    expect(changed).toHaveBeenCalled();
  });

  test('outlives a service that cannot be reached', async () => {
    const { around, renew, stored } = browser(tokens(1, -1));
    renew.mockRejectedValueOnce(new TypeError('Failed to fetch'));
    const session = new Session(around);
    await expect(session.accessToken()).rejects.toThrow('Failed to fetch');
    expect(session.state).toBe('in');
    expect(stored()?.refreshToken).toBe('refresh-1');
    expect(await session.accessToken()).toBe('access-2');
  });

  test('tells of another person, and not of new tokens', async () => {
    const { around } = browser(tokens(1));
    const session = new Session(around);
    await session.load();
    const epoch = session.epoch;
    await session.renew('access-1');
    expect(session.epoch).toBe(epoch);
    await session.begin(tokens(7, 15, 'rui'));
    expect(session.epoch).toBe(epoch + 1);
    await session.end();
    expect(session.epoch).toBe(epoch + 2);
    expect(session.userId).toBeUndefined();
  });
});

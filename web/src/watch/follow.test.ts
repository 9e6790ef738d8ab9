import { CombinedError } from '@urql/core';
import { describe, expect, test, vi } from 'vitest';
import type { ProgressFragment } from '../graphql/generated/graphql';
import { follow } from './follow';
import { merge, NOTHING, stepOf } from './progress';

const event = (seq: number, more: Partial<ProgressFragment> = {}) =>
  ({ seq, stage: 'EXTRACTING', status: 'PROCESSING', final: false, itemsFound: 0, ...more }) as ProgressFragment;
const cut = new CombinedError({ networkError: new Error('socket closed') });
const word = (code: string) => new CombinedError({ graphQLErrors: [{ message: 'x', extensions: { code } }] });

/** Each connection brings some events and ends. */
function connections(...list: { events?: ProgressFragment[]; error?: CombinedError }[]) {
  const from: (number | undefined)[] = [];
  const wait = vi.fn(() => Promise.resolve());
  return {
    from,
    around: {
      open: (afterSeq: number | undefined, onEvent: (e: ProgressFragment) => void) => {
        from.push(afterSeq);
        const now = list.shift() ?? { events: [event(99, { final: true })] };
        now.events?.forEach(onEvent);
        return Promise.resolve({ error: now.error });
      },
      wait,
    },
    wait,
  };
}

describe('following', () => {
  test('goes on after the last event that was seen, and tells of each once', async () => {
    const { around, from } = connections(
      { events: [event(3), event(4)], error: cut },
      { error: cut },
      { events: [event(4), event(5)] }, // a slow listener is completed early
      { events: [event(6, { final: true })] },
    );
    const seen: number[] = [];
    await follow(around, (e) => seen.push(e.seq), new AbortController().signal);
    expect(seen).toEqual([3, 4, 5, 6]);
    expect(from).toEqual([undefined, 4, 4, 5]);
  });

  test('waits longer from fault to fault, and starts anew after an event', async () => {
    const { around, wait } = connections({ error: cut }, { error: cut }, { events: [event(1)], error: cut });
    await follow(around, () => undefined, new AbortController().signal);
    expect(wait.mock.calls.map(([attempt]: unknown[]) => attempt)).toEqual([0, 1, 0]);
  });

  test.each(['NOT_FOUND', 'FORBIDDEN', 'BAD_USER_INPUT'])('stops at %s', async (code) => {
    const { around, wait } = connections({ error: word(code) });
    expect(await follow(around, () => undefined, new AbortController().signal)).toBeDefined();
    expect(wait).not.toHaveBeenCalled();
  });

  test.each(['UNAUTHENTICATED', 'RATE_LIMITED', 'UNAVAILABLE'])('comes back after %s', async (code) => {
    const { around, from } = connections({ error: word(code) });
    await follow(around, () => undefined, new AbortController().signal);
    expect(from).toHaveLength(2);
  });

  test('ends when nobody listens any more', async () => {
    const stop = new AbortController();
    const { around, from } = connections({ events: [event(1)] });
    await follow(around, () => stop.abort(), stop.signal);
    expect(from).toHaveLength(1);
  });
});

describe('progress', () => {
  test('ignores what was seen already', () => {
    const one = merge(NOTHING, event(2, { itemsFound: 5 }));
    expect(merge(one, event(2, { itemsFound: 9 }))).toBe(one);
    expect(merge(one, event(1))).toBe(one);
  });

  test('the number of items does not fall within an extraction, and begins anew with the next', () => {
    let p = merge(NOTHING, event(1, { itemsFound: 12 }));
    p = merge(p, event(2, { stage: 'RETRYING', itemsFound: 0 }));
    expect(p.itemsFound).toBe(12);
    expect(merge(p, event(3, { stage: 'QUEUED' })).itemsFound).toBe(0);
  });

  test('every stage but the bad ends is a step', () => {
    expect(stepOf('RETRYING')).toBe(stepOf('EXTRACTING'));
    expect(stepOf('FAILED')).toBe(-1);
  });
});

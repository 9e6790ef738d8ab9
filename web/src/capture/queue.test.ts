import 'fake-indexeddb/auto';
import { beforeEach, expect, test, vi } from 'vitest';
import { db } from '../app/db';
import { ServiceError } from '../app/errors';
import { type Entry, Queue, type QueueSurroundings, type Submission } from './queue';
import type { Submitted } from './upload';

const taken = (id: string): Submitted => ({ invoice: { id, status: 'QUEUED' }, duplicate: null });
const there = (id: string): Submitted => ({
  invoice: { id, status: 'COMPLETED' },
  duplicate: { reason: 'SAME_BYTES' },
});

let keys = 0;

function setup(send: QueueSurroundings['send']) {
  const wait = vi.fn(() => Promise.resolve());
  let turn: Promise<unknown> = Promise.resolve();
  const around: QueueSurroundings = {
    all: () => db.all<Submission>('submissions'),
    put: (s) => db.put('submissions', s.idempotencyKey, s),
    remove: (key) => db.remove('submissions', key),
    lock: (work) => {
      const mine = turn.then(work, work);
      turn = mine.catch(() => undefined);
      return mine;
    },
    send,
    wait,
    newKey: () => `key-${++keys}`,
    now: () => ++keys,
    tell: vi.fn(),
  };
  return { queue: new Queue(around), around, wait };
}

/** Waits until the queue shows something. */
function until(queue: Queue, what: (entries: readonly Entry[]) => boolean): Promise<readonly Entry[]> {
  return new Promise((resolve) => {
    const look = () => {
      if (!what(queue.snapshot())) return;
      stop();
      resolve(queue.snapshot());
    };
    const stop = queue.subscribe(look);
    look();
  });
}
const reached = (state: Entry['state']) => (entries: readonly Entry[]) => entries.some((e) => e.state === state);

beforeEach(async () => {
  for (const s of await db.all<Submission>('submissions')) await db.remove('submissions', s.idempotencyKey);
});

test('a note is sent, and then stored no more', async () => {
  const send = vi.fn<QueueSurroundings['send']>((_what, onProgress) => {
    onProgress(0.5);
    return Promise.resolve(taken('I1'));
  });
  const { queue } = setup(send);
  await queue.open('ana');
  const key = await queue.add('1 foto', [new Blob(['x'])]);
  const [entry] = await until(queue, reached('sent'));
  expect(entry).toMatchObject({ idempotencyKey: key, invoiceId: 'I1' });
  expect(send.mock.calls[0]?.[0]).toMatchObject({ idempotencyKey: key, allowDuplicate: false });
  expect(await db.all('submissions')).toEqual([]);
});

test('what was not sent before a reload is sent after it, with the same key', async () => {
  const before = setup(() => new Promise(() => undefined)); // the page is closed meanwhile
  await before.queue.open('ana');
  const key = await before.queue.add('1 foto', [new Blob(['x'])]);
  await until(before.queue, reached('sending'));

  const send = vi.fn<QueueSurroundings['send']>(() => Promise.resolve(taken('I1')));
  const after = setup(send);
  await after.queue.open('ana');
  await until(after.queue, reached('sent'));
  expect(send.mock.calls[0]?.[0].idempotencyKey).toBe(key);
});

test('a lost connection is tried again as often as it takes, with the same key', async () => {
  const seen: string[] = [];
  const { queue, wait } = setup((what) => {
    seen.push(what.idempotencyKey);
    return seen.length <= 10 ? Promise.reject(new Error('cut off')) : Promise.resolve(taken('I1'));
  });
  await queue.open('ana');
  await queue.add('1 foto', [new Blob(['x'])]);
  await until(queue, reached('sent'));
  expect(new Set(seen).size).toBe(1);
  expect(wait).toHaveBeenCalledTimes(10);
});

test('the service is asked again when it says so, and not for ever', async () => {
  const { queue, wait } = setup(() => Promise.reject(new ServiceError('Espere.', 'RATE_LIMITED', undefined, 9)));
  await queue.open('ana');
  await queue.add('1 foto', [new Blob(['x'])]);
  const [entry] = await until(queue, reached('refused'));
  expect(entry?.message).toBe('Espere.');
  expect(wait).toHaveBeenCalledTimes(5);
  expect(wait).toHaveBeenCalledWith(0, 9, expect.anything());
});

test('a refusal is shown at once, does not hold up the next note, and can be tried again', async () => {
  let good = false;
  const { queue, wait } = setup((what) =>
    what.files[0]?.size === 3 && !good
      ? Promise.reject(new ServiceError('Não lemos isso.', 'UNSUPPORTED_MEDIA'))
      : Promise.resolve(taken('I1')),
  );
  await queue.open('ana');
  const bad = await queue.add('x', [new Blob(['bad'])]);
  await queue.add('y', [new Blob(['good'])]);
  await until(queue, (e) => reached('refused')(e) && reached('sent')(e));
  expect(wait).not.toHaveBeenCalled();
  good = true;
  await queue.retry(bad);
  await until(queue, (entries) => entries.filter((e) => e.state === 'sent').length === 2);
});

test('a duplicate is kept until it is sent all the same, with a new key', async () => {
  const send = vi.fn<QueueSurroundings['send']>((what) =>
    Promise.resolve(what.allowDuplicate ? taken('I2') : there('I1')),
  );
  const { queue } = setup(send);
  await queue.open('ana');
  const key = await queue.add('1 foto', [new Blob(['x'])]);
  const [entry] = await until(queue, reached('duplicate'));
  expect(entry?.duplicateOf).toBe('I1');
  const next = await queue.sendAnyway(key);
  expect(next).not.toBe(key);
  await until(queue, reached('sent'));
  expect(send).toHaveBeenCalledTimes(2);
});

test('a note that is removed is stopped', async () => {
  const aborted = vi.fn();
  const { queue } = setup(
    (_what, _onProgress, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          aborted();
          reject(new Error('cut off'));
        });
      }),
  );
  await queue.open('ana');
  const key = await queue.add('1 foto', [new Blob(['x'])]);
  await until(queue, reached('sending'));
  await queue.remove(key);
  await until(queue, (e) => e.length === 0);
  expect(aborted).toHaveBeenCalled();
});

test('a session that is over stops the queue and loses nothing', async () => {
  const { queue } = setup(() => Promise.reject(new ServiceError('Entre de novo.', 'UNAUTHENTICATED')));
  await queue.open('ana');
  await queue.add('1 foto', [new Blob(['x'])]);
  await until(queue, reached('waiting'));
  expect(await db.all('submissions')).toHaveLength(1);
});

test("another person's notes are neither shown nor sent", async () => {
  const stuck = setup(() => Promise.reject(new ServiceError('', 'UNAUTHENTICATED')));
  await stuck.queue.open('ana');
  await stuck.queue.add('1 foto', [new Blob(['x'])]);
  const send = vi.fn<QueueSurroundings['send']>();
  const { queue } = setup(send);
  await queue.open('rui');
  expect(queue.snapshot()).toEqual([]);
  expect(send).not.toHaveBeenCalled();
});

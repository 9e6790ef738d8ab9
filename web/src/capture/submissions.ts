import { db } from '../app/db';
import { backOff, pause } from '../app/online';
import { Queue, type Submission } from './queue';
import { upload } from './upload';

const channel = new BroadcastChannel('submissions');

/** The queue of this browser; App opens it for who is signed in. */
export const submissions = new Queue({
  all: () => db.all<Submission>('submissions'),
  put: (s) => db.put('submissions', s.idempotencyKey, s),
  remove: (key) => db.remove('submissions', key),
  lock: async (work) => {
    await navigator.locks.request('submissions', work);
  },
  send: upload,
  wait: (attempt, seconds, signal) => pause(seconds === undefined ? backOff(attempt) : seconds * 1000, signal),
  newKey: () => crypto.randomUUID(),
  now: Date.now,
  tell: () => channel.postMessage('changed'),
});

channel.onmessage = () => void submissions.reload();

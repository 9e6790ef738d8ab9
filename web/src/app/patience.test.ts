import { expect, test, vi } from 'vitest';
import { patientFetch } from './patience';

const limited = (seconds: string) => new Response('{}', { status: 429, headers: { 'Retry-After': seconds } });

function around(...answers: Response[]) {
  const wait = vi.fn<(seconds: number) => Promise<void>>(() => Promise.resolve());
  const fetch = vi.fn(() => Promise.resolve(answers.shift() ?? new Response('{}')));
  return { wait, fetch, get: patientFetch({ fetch, wait }) };
}

test('waits as long as it is told, and tries again', async () => {
  const { get, wait } = around(limited('7'));
  expect((await get('/graphql')).status).toBe(200);
  expect(wait.mock.calls).toEqual([[7]]);
});

test('gives up after three tries', async () => {
  const { get, fetch } = around(limited('1'), limited('1'), limited('1'), limited('1'));
  expect((await get('/graphql')).status).toBe(429);
  expect(fetch).toHaveBeenCalledTimes(3);
});

test.each(['61', '0', ''])('does not wait for %j seconds', async (seconds) => {
  const { get, wait } = around(limited(seconds));
  expect((await get('/graphql')).status).toBe(429);
  expect(wait).not.toHaveBeenCalled();
});

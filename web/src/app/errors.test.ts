import { CombinedError } from '@urql/core';
import { expect, test } from 'vitest';
import { explain, OFFLINE, readReply, ServiceError, serviceError } from './errors';

test('the data of a good reply', () => {
  expect(readReply({ data: { a: 1 } })).toEqual({ a: 1 });
});

test('an error keeps what the service says of it', () => {
  const extensions = { code: 'RATE_LIMITED', field: 'email', retryAfterSeconds: 3 };
  const read = () => readReply({ data: null, errors: [{ message: 'Espere.', extensions }] });
  expect(read).toThrow(new ServiceError('Espere.', 'RATE_LIMITED', 'email', 3));
});

test('an internal error is in Portuguese, with its reference', () => {
  const error = new CombinedError({
    graphQLErrors: [{ message: 'Internal error', extensions: { code: 'INTERNAL', requestId: 'abc' } }],
  });
  expect(explain(error)).toMatch(/Algo deu errado.*abc/);
  expect(serviceError(error)?.code).toBe('INTERNAL');
});

test('no answer is a matter of the network', () => {
  expect(explain(new CombinedError({ networkError: new Error('Failed to fetch') }))).toBe(OFFLINE);
});

import type { AnyVariables, Client, CombinedError, DocumentInput } from '@urql/core';
import { onEnd, onPush, pipe, publish, takeUntil, make } from 'wonka';
import type { Ending } from './follow';

/** One subscription through urql, so that its events reach the cache; it resolves when the stream ends. */
export function stream<D, V extends AnyVariables>(
  client: Client,
  document: DocumentInput<D, V>,
  variables: V,
  onData: (data: D) => void,
  signal: AbortSignal,
): Promise<Ending> {
  return new Promise((resolve) => {
    let error: CombinedError | undefined;
    const aborted = make<null>((observer) => {
      const stop = () => observer.next(null);
      signal.addEventListener('abort', stop);
      return () => signal.removeEventListener('abort', stop);
    });
    pipe(
      client.subscription<D, V>(document, variables),
      takeUntil(aborted),
      onPush((result) => {
        error = result.error;
        if (result.data) onData(result.data);
        // urql keeps a stream open whose connection has failed.
        if (result.error) resolve({ error });
      }),
      onEnd(() => resolve({ error })),
      publish,
    );
  });
}

import type { AnyVariables, Client, DocumentInput, OperationResult } from '@urql/core';
import { filter, pipe, subscribe } from 'wonka';

/**
 * The service's answer to a query, past the cache. In place of toPromise, which lets go of the request while its answer is still
 * being handed over: urql aborts it then, and the browser reports that as an error that nobody caught.
 */
export function ask<D, V extends AnyVariables>(
  client: Client,
  query: DocumentInput<D, V>,
  variables: V,
): Promise<OperationResult<D, V>> {
  return new Promise((resolve) => {
    const asked = pipe(
      client.query<D, V>(query, variables, { requestPolicy: 'network-only' }),
      filter((result) => !result.stale && !result.hasNext),
      subscribe((result) => {
        resolve(result);
        setTimeout(() => asked.unsubscribe());
      }),
    );
  });
}

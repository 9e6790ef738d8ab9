import { Client, fetchExchange, subscriptionExchange, type SubscriptionOperation } from '@urql/core';
import { authExchange } from '@urql/exchange-auth';
import { makeCache } from './cache';
import { patientFetch } from './patience';
import { session } from './session';
import { openSocket } from './socket';

/** The client of one person: another one gets another, so that nobody sees what is not theirs. */
export function makeClient(): Client {
  const socket = openSocket();
  return new Client({
    url: '/graphql',
    preferGetMethod: false,
    fetch: patientFetch(),
    exchanges: [
      makeCache(),
      authExchange(async (auth) => {
        let token = await session.accessToken().catch(() => null);
        return {
          addAuthToOperation: (operation) =>
            token === null ? operation : auth.appendHeaders(operation, { Authorization: `Bearer ${token}` }),
          didAuthError: (error) => error.graphQLErrors.some((e) => e.extensions.code === 'UNAUTHENTICATED'),
          willAuthError: () => session.state === 'in' && !session.holds(token),
          refreshAuth: async () => {
            // Out of reach: the operation itself will say so.
            token = await (session.holds(token) ? session.renew(token ?? '') : session.accessToken()).catch(
              () => token,
            );
          },
        };
      }),
      subscriptionExchange({
        forwardSubscription: (request: SubscriptionOperation) => ({
          subscribe: (sink) => ({
            unsubscribe: socket.subscribe(
              { query: request.query ?? '', variables: (request.variables ?? {}) as Record<string, unknown> },
              {
                next: (result) => sink.next(result as never),
                complete: () => sink.complete(),
                // A list of errors is the service's word; anything else is the connection's.
                error: (error) => {
                  if (Array.isArray(error)) {
                    sink.next({ errors: error });
                    sink.complete();
                  } else sink.error(error);
                },
              },
            ),
          }),
        }),
      }),
      fetchExchange,
    ],
  });
}

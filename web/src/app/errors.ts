import type { CombinedError } from '@urql/core';
import type { ErrorCode } from '../graphql/generated/graphql';

/** An error of the service, with the class that extensions.code names. */
export class ServiceError extends Error {
  constructor(
    message: string,
    readonly code: ErrorCode,
    /** The input field to blame, where there is one. */
    readonly field?: string,
    readonly retryAfterSeconds?: number,
  ) {
    super(message);
  }
}

interface RawError {
  message: string;
  extensions?: Record<string, unknown>;
}

export interface GraphQLReply<T> {
  data?: T | null;
  errors?: RawError[];
}

export const OFFLINE = 'Sem conexão com o Mercado Esperto. Confira a internet e tente de novo.';
const INTERNAL = 'Algo deu errado do nosso lado. Tente de novo daqui a pouco.';

function fromRaw(error: RawError): ServiceError {
  const { code, field, retryAfterSeconds, requestId } = error.extensions ?? {};
  const known = (typeof code === 'string' ? code : 'INTERNAL') as ErrorCode;
  const reference = typeof requestId === 'string' ? ` (código ${requestId})` : '';
  return new ServiceError(
    known === 'INTERNAL' ? INTERNAL + reference : error.message,
    known,
    typeof field === 'string' ? field : undefined,
    typeof retryAfterSeconds === 'number' ? retryAfterSeconds : undefined,
  );
}

/** The data of a reply that did not come through urql. Throws what went wrong. */
export function readReply<T>(reply: GraphQLReply<T>): T {
  const first = reply.errors?.[0];
  if (first !== undefined) throw fromRaw(first);
  if (reply.data === undefined || reply.data === null) throw new ServiceError(INTERNAL, 'INTERNAL');
  return reply.data;
}

/** What went wrong with one of urql's requests; undefined when the service could not be reached. */
export function serviceError(error: CombinedError): ServiceError | undefined {
  const first = error.graphQLErrors[0];
  return first === undefined ? undefined : fromRaw(first);
}

/** A sentence for people. */
export function explain(error: CombinedError): string {
  return serviceError(error)?.message ?? OFFLINE;
}

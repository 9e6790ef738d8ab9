import { stringifyDocument } from '@urql/core';
import { RefreshSessionDocument, type RefreshSessionMutation, type SignInMutation } from '../graphql/generated/graphql';
import { ServiceError, type GraphQLReply, readReply } from './errors';

/** The tokens of a session, and whose they are. */
export interface Tokens {
  accessToken: string;
  refreshToken: string;
  /** When the access token ends. */
  expiresAt: string;
  userId: string;
}

export function toTokens(payload: SignInMutation['signIn']): Tokens {
  const { accessToken, refreshToken, expiresAt } = payload.session;
  return { accessToken, refreshToken, expiresAt, userId: payload.viewer.id };
}

/** Not through urql, whose own requests wait for this one. */
export async function renewTokens(refreshToken: string): Promise<Tokens | null> {
  const response = await fetch('/graphql', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ query: stringifyDocument(RefreshSessionDocument), variables: { input: { refreshToken } } }),
  });
  try {
    const data = readReply((await response.json()) as GraphQLReply<RefreshSessionMutation>);
    return toTokens(data.refreshSession);
  } catch (error) {
    if (error instanceof ServiceError && error.code === 'UNAUTHENTICATED') return null;
    throw error;
  }
}

import type { CombinedError } from '@urql/core';
import { serviceError } from '../app/errors';

/** One end of a stream. */
export type Ending = { error: CombinedError | undefined };

export interface FollowSurroundings<E> {
  /** Opens a stream that begins after the event with that number, and tells of each event, until it ends. */
  open(afterSeq: number | undefined, onEvent: (event: E) => void, signal: AbortSignal): Promise<Ending>;
  /** Waits before the next connection. */
  wait(attempt: number, signal: AbortSignal): Promise<void>;
}

/**
 * Follows an extraction to its end over as many connections as it takes. Each goes on after the last event that was seen, so
 * nothing is lost and nothing comes twice. It ends with the final event, when the signal aborts, or with the service's word
 * that there is nothing to follow; that error it returns.
 */
export async function follow<E extends { seq: number; final: boolean }>(
  around: FollowSurroundings<E>,
  onEvent: (event: E) => void,
  signal: AbortSignal,
): Promise<CombinedError | undefined> {
  const at: { seen: number | undefined; final: boolean } = { seen: undefined, final: false };
  const stopped = () => signal.aborted;
  for (let attempt = 0; !stopped(); attempt++) {
    const { error } = await around.open(
      at.seen,
      (event) => {
        if (at.seen !== undefined && event.seq <= at.seen) return;
        at.seen = event.seq;
        at.final = event.final;
        attempt = 0; // it works: the next fault starts anew
        onEvent(event);
      },
      signal,
    );
    if (at.final || stopped()) return undefined;
    const code = error && serviceError(error)?.code;
    if (code === 'NOT_FOUND' || code === 'BAD_USER_INPUT' || code === 'FORBIDDEN') return error;
    await around.wait(attempt, signal);
  }
  return undefined;
}

import { useEffect, useState } from 'react';
import { useClient } from 'urql';
import { backOff, pause } from '../app/online';
import { ExtractionProgressDocument, ExtractionsDocument, type ProgressFragment } from '../graphql/generated/graphql';
import { follow } from './follow';
import { merge, NOTHING, type Progress } from './progress';
import { stream } from './stream';

/**
 * Follows one invoice from when it is under way until nothing follows by itself: the analysis too, where there is one. onEnd is
 * called when the extraction has ended, and when the analysis has.
 */
export function useProgress(invoiceId: string, underWay: boolean, onEnd: () => void): Progress {
  const client = useClient();
  const [progress, setProgress] = useState(NOTHING);
  // The event that completes the extraction ends what the page sees under way, while the analysis is still to come.
  const following = underWay || progress.last?.final === false;
  useEffect(() => {
    if (!following) return;
    const stop = new AbortController();
    const onEvent = (event: ProgressFragment) => {
      setProgress((before) => merge(before, event));
      if (event.final || event.stage === 'COMPLETED' || event.stage === 'NEEDS_REVIEW') onEnd();
    };
    void follow<ProgressFragment>(
      {
        open: (afterSeq, tell, signal) => {
          const one = new AbortController(); // ends this stream, whatever ended it
          const end = () => one.abort();
          signal.addEventListener('abort', end);
          return stream(
            client,
            ExtractionProgressDocument,
            { invoiceId, ...(afterSeq === undefined ? {} : { afterSeq }) },
            (data) => tell(data.extractionProgress),
            one.signal,
          ).finally(() => {
            signal.removeEventListener('abort', end);
            end();
          });
        },
        wait: (attempt, signal) => pause(backOff(attempt), signal),
      },
      onEvent,
      stop.signal,
    );
    return () => stop.abort();
    // Who is under way is followed to the end: status changes on the way come through the events themselves.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [client, invoiceId, following]);
  return progress;
}

/** Tells of the steps of all invoices while the page is open, and of each new connection, before which some may have passed. */
export function useAllProgress(onEvent: (event: ProgressFragment) => void, onConnect: () => void): void {
  const client = useClient();
  useEffect(() => {
    const stop = new AbortController();
    void (async () => {
      for (let attempt = 0; !stop.signal.aborted; attempt++) {
        if (attempt > 0) onConnect();
        await stream(
          client,
          ExtractionsDocument,
          {},
          (data) => {
            attempt = 0;
            onEvent(data.extractions);
          },
          stop.signal,
        );
        await pause(backOff(attempt), stop.signal);
      }
    })();
    return () => stop.abort();
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [client]);
}

import type { ProgressFragment, Stage, Status } from '../graphql/generated/graphql';

/** What is known of an extraction from its events. */
export interface Progress {
  /** The newest event; the one to go on after is its seq. */
  last: ProgressFragment | undefined;
  /** The most items that were found in this extraction: a provider that takes over begins at zero. */
  itemsFound: number;
}

export const NOTHING: Progress = { last: undefined, itemsFound: 0 };

/** Adds an event. One that was seen already, which a connection that was lost brings again, changes nothing. */
export function merge(progress: Progress, event: ProgressFragment): Progress {
  if (progress.last !== undefined && event.seq <= progress.last.seq) return progress;
  const begins = event.stage === 'QUEUED';
  return { last: event, itemsFound: begins ? event.itemsFound : Math.max(progress.itemsFound, event.itemsFound) };
}

/** Whether the service is still at work on an invoice. */
export const isUnderWay = (status: Status): boolean => status === 'QUEUED' || status === 'PROCESSING';

/** The steps that are shown, in their order. */
export const STEPS: { label: string; stages: Stage[] }[] = [
  { label: 'Na fila', stages: ['QUEUED'] },
  { label: 'Abrindo os arquivos', stages: ['READING'] },
  { label: 'Lendo a nota', stages: ['EXTRACTING', 'RETRYING'] },
  { label: 'Conferindo os valores', stages: ['CHECKING'] },
  { label: 'Pronta', stages: ['COMPLETED', 'NEEDS_REVIEW', 'ANALYZING', 'ANALYZED', 'ANALYSIS_FAILED'] },
];

/** Which of STEPS a stage is; -1 where it ended otherwise. */
export const stepOf = (stage: Stage): number => STEPS.findIndex((s) => s.stages.includes(stage));

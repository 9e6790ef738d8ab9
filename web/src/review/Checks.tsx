import type { ReviewedFragment } from '../graphql/generated/graphql';
import { CHECKS } from './words';

export type Check = ReviewedFragment['checks'][number];

/** What failed at a place of the note as a whole; with line, at one of its lines. */
export function checksAt(checks: Check[], at: string, line?: number): Check[] {
  return checks.filter((c) => (line === undefined ? c.line == null && CHECKS[c.name].at === at : c.line === line));
}

interface Props {
  checks: Check[];
  at: string;
  line?: number;
  id?: string;
}

/** Failed checks in words: what was expected, what is there, and the difference. */
export function FailedChecks({ checks, at, line, id }: Props) {
  const here = checksAt(checks, at, line);
  if (here.length === 0) return null;
  return (
    <div {...(id === undefined ? {} : { id })}>
      {here.map((c) => (
        <p key={c.name}>
          <FailedCheck check={c} />
        </p>
      ))}
    </div>
  );
}

export function FailedCheck({ check }: { check: Check }) {
  return (
    <span className="warn">
      <span aria-hidden="true">⚠ </span>
      {CHECKS[check.name].text}
      {check.expected != null && <> Esperado: {check.expected}.</>}
      {check.found != null && <> Na nota: {check.found}.</>}
      {check.difference && <> Diferença: {check.difference.formatted}.</>}{' '}
    </span>
  );
}

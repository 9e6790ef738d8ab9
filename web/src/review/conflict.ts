import { type Draft, LINE_FIELDS, type LineDraft, type NoteField } from './draft';
import { LINE_LABELS, NOTE_LABELS } from './words';

/** One thing that somebody else has changed meanwhile. */
export interface Difference {
  label: string;
  before: string;
  after: string;
}

/** In what an invoice differs from how the person saw it. */
export function differences(seen: Draft, fresh: Draft): Difference[] {
  const found: Difference[] = [];
  for (const f of Object.keys(seen.note) as NoteField[]) {
    if (seen.note[f] !== fresh.note[f])
      found.push({ label: NOTE_LABELS[f], before: seen.note[f], after: fresh.note[f] });
  }
  const paid = (d: Draft) => d.payments.map((p) => p.amount).join(' + ');
  if (JSON.stringify(seen.payments) !== JSON.stringify(fresh.payments)) {
    found.push({ label: 'Pagamentos', before: paid(seen), after: paid(fresh) });
  }
  const now = new Map(fresh.lines.map((l) => [l.key, l]));
  for (const line of seen.lines) {
    const other = now.get(line.key);
    if (other === undefined) found.push({ label: `Linha ${line.number}`, before: whole(line), after: '' });
    else
      for (const f of LINE_FIELDS) {
        if (line[f] === other[f]) continue;
        found.push({ label: `${LINE_LABELS[f]}, linha ${other.number}`, before: line[f], after: other[f] });
      }
  }
  const before = new Set(seen.lines.map((l) => l.key));
  for (const line of fresh.lines) {
    if (!before.has(line.key)) found.push({ label: `Linha ${line.number}`, before: '', after: whole(line) });
  }
  return found;
}

const whole = (l: LineDraft): string => `${l.description} R$ ${l.total}`;

/** The fresh draft with what the person had typed upon the one they saw: where both changed something, the person's stands. */
export function rebase(seen: Draft, mine: Draft, fresh: Draft): Draft {
  const note = { ...fresh.note };
  for (const f of Object.keys(note) as NoteField[]) {
    if (mine.note[f] !== seen.note[f]) note[f] = mine.note[f];
  }
  const before = new Map(seen.lines.map((l) => [l.key, l]));
  const typed = new Map(mine.lines.map((l) => [l.key, l]));
  const lines = fresh.lines.map((line) => {
    const was = before.get(line.key);
    const now = typed.get(line.key);
    if (was === undefined || now === undefined) return line;
    const merged = { ...line, removed: now.removed };
    for (const f of LINE_FIELDS) if (now[f] !== was[f]) merged[f] = now[f];
    return merged;
  });
  // A new line stays below the one it was below of, or comes last.
  mine.lines.forEach((line, i) => {
    if (line.number !== 0) return;
    const above = mine.lines[i - 1]?.key;
    const at = above === undefined ? -1 : lines.findIndex((l) => l.key === above);
    lines.splice(above !== undefined && at < 0 ? lines.length : at + 1, 0, line);
  });
  const paid = JSON.stringify(mine.payments) === JSON.stringify(seen.payments) ? fresh.payments : mine.payments;
  return { note, lines, payments: paid };
}

import { useCallback, useEffect, useRef, useState, type KeyboardEvent } from 'react';
import type { CategoriesQuery, ReviewedFragment } from '../graphql/generated/graphql';
import { type Check, FailedChecks } from './Checks';
import type { Place } from './correction';
import { LINE_FIELDS, type LineDraft, type LineField } from './draft';
import { type Cell, move } from './grid';
import { Line } from './Line';
import css from './Review.module.css';
import { LINE_LABELS } from './words';

interface Props {
  lines: LineDraft[];
  base: LineDraft[];
  items: ReviewedFragment['items'];
  errors: ReadonlyMap<Place, string>;
  checks: Check[];
  categories: CategoriesQuery['categories'];
  onChange: (key: string, field: LineField, value: string) => void;
  onRemove: (key: string) => void;
  /** Adds a line after one, or at the end, and gives its key. */
  onAdd: (after: string | undefined) => string;
}

/** The lines as a table of inputs that the keyboard moves through as through a spreadsheet. */
export function Lines({ lines, base, items, errors, checks, categories, onChange, onRemove, onAdd }: Props) {
  const table = useRef<HTMLDivElement>(null);
  const [added, setAdded] = useState<string>();
  useEffect(() => {
    if (added !== undefined) table.current?.querySelector<HTMLElement>(`[data-cell="${added}.description"]`)?.focus();
  }, [added]);
  const before = new Map(base.map((l) => [l.key, l]));
  const uncertain = new Set(items.filter((it) => it.uncertain).map((it) => it.id));

  const onKeyDown = useCallback(
    (event: KeyboardEvent<HTMLElement>) => {
      const input = event.target;
      if (!(input instanceof HTMLInputElement || input instanceof HTMLSelectElement)) return;
      const rows = cells(table.current);
      const from = find(rows, input);
      if (from === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
      const to = move(
        { key: event.key, shift: event.shiftKey, caret: caretOf(input) },
        from,
        rows.length,
        LINE_FIELDS.length,
      );
      // Enter in a field would send the form.
      if (to !== null || event.key === 'Enter') event.preventDefault();
      if (to === 'add') setAdded(onAdd(undefined));
      else if (to !== null) enter(rows, to, Math.sign(to.column - from.column));
    },
    [onAdd],
  );

  return (
    <section className="card stack" aria-labelledby="lines">
      <h2 id="lines">Itens</h2>
      <p className="muted">Enter desce, Shift+Enter sobe, as setas andam entre os campos e Esc desfaz um campo.</p>
      <FailedChecks checks={checks} at="items" />
      {/* eslint-disable-next-line jsx-a11y/interactive-supports-focus -- its inputs have the focus */}
      <div ref={table} role="grid" aria-labelledby="lines" onKeyDown={onKeyDown}>
        <div role="row" className={css['head']}>
          <span role="columnheader">Linha</span>
          {LINE_FIELDS.map((f) => (
            <span role="columnheader" key={f}>
              {LINE_LABELS[f]}
            </span>
          ))}
          <span role="columnheader">Ações</span>
        </div>
        {lines.map((line, i) => (
          <Line
            key={line.key}
            line={line}
            position={i + 1}
            was={before.get(line.key)}
            uncertain={uncertain.has(line.key)}
            errors={errors}
            checks={checks}
            categories={categories}
            onChange={onChange}
            onRemove={onRemove}
          />
        ))}
      </div>
      <div className="row">
        <button type="button" className="button" onClick={() => setAdded(onAdd(undefined))}>
          Adicionar linha
        </button>
      </div>
    </section>
  );
}

type Input = HTMLInputElement | HTMLSelectElement;

/** The inputs of each line by column; a column that a line does not have is undefined. */
function cells(table: HTMLElement | null): (Input | undefined)[][] {
  const rows = [...(table?.querySelectorAll('[data-line]') ?? [])];
  return rows.map((row) => LINE_FIELDS.map((f) => row.querySelector<Input>(`[data-cell$=".${f}"]`) ?? undefined));
}

function find(rows: (Input | undefined)[][], input: Input): Cell | undefined {
  const row = rows.findIndex((r) => r.includes(input));
  return row < 0 ? undefined : { row, column: rows[row]?.indexOf(input) ?? 0 };
}

/** Gives the focus to a cell, or to the next one in the same direction where there is none. */
function enter(rows: (Input | undefined)[][], { row, column }: Cell, direction: number): void {
  const line = rows[row] ?? [];
  let at = column;
  while (line[at] === undefined && direction !== 0 && at >= 0 && at < line.length) at += direction;
  const input = line[at] ?? (direction === 0 ? line[0] : undefined);
  input?.focus();
  if (input instanceof HTMLInputElement) input.select();
}

function caretOf(input: Input) {
  if (!(input instanceof HTMLInputElement)) return null;
  const { selectionStart, selectionEnd, value } = input;
  return { start: selectionStart ?? 0, end: selectionEnd ?? 0, length: value.length };
}

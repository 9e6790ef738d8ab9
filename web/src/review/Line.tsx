import { memo, useId, type KeyboardEvent } from 'react';
import type { CategoriesQuery } from '../graphql/generated/graphql';
import { editMoney, MONEY, parseDecimal, toCentavos } from '../ui/decimal';
import { type Check, checksAt, FailedChecks } from './Checks';
import { linePlace, type Place } from './correction';
import { isNew, LINE_FIELDS, type LineDraft, type LineField } from './draft';
import css from './Review.module.css';
import { LINE_LABELS } from './words';

interface Props {
  line: LineDraft;
  /** Its place in the table, from 1. */
  position: number;
  /** The line as it is kept; undefined for a new one. */
  was: LineDraft | undefined;
  uncertain: boolean;
  errors: ReadonlyMap<Place, string>;
  checks: Check[];
  categories: CategoriesQuery['categories'];
  onChange: (key: string, field: LineField, value: string) => void;
  onRemove: (key: string) => void;
}

const NUMBERS: LineField[] = ['quantity', 'unitPrice', 'total', 'discount'];

/** One line of the table; on narrow screens a card of labelled fields. */
export const Line = memo(function Line(props: Props) {
  const { line, position, uncertain, errors, checks, onRemove } = props;
  const id = useId();
  const failed = isNew(line) ? [] : checksAt(checks, 'items', line.number);
  const wrong = LINE_FIELDS.flatMap((f) => {
    const message = errors.get(linePlace(line.key, f));
    return message === undefined ? [] : [`${LINE_LABELS[f]}: ${message}`];
  });
  const described = failed.length > 0 || wrong.length > 0 || uncertain ? id : undefined;
  if (line.removed) {
    return (
      <div role="row" className={css['removed']}>
        <span role="gridcell">
          <s>{line.description}</s> será removida
        </span>
        <span role="gridcell">
          <button type="button" className="button" onClick={() => onRemove(line.key)}>
            Manter linha {position}
          </button>
        </span>
      </div>
    );
  }
  return (
    <div
      role="row"
      data-line={position}
      className={`${css['line'] ?? ''} ${failed.length > 0 ? (css['failed'] ?? '') : ''}`}
    >
      <span role="rowheader" className={css['number']}>
        {position}
      </span>
      {LINE_FIELDS.map((f) => (
        <LineCell key={f} field={f} described={described} {...props} />
      ))}
      <span role="gridcell" className={css['remove']}>
        <button
          type="button"
          className={css['x']}
          onClick={() => onRemove(line.key)}
          aria-label={`Remover linha ${position}`}
        >
          ×
        </button>
      </span>
      {described !== undefined && (
        <div role="gridcell" id={id} className={css['notes']}>
          {wrong.map((w) => (
            <p key={w} className="bad">
              {w}
            </p>
          ))}
          <FailedChecks checks={failed} at="items" line={line.number} />
          {uncertain && <p className="warn">Difícil de ler: confira com o papel.</p>}
        </div>
      )}
    </div>
  );
});

type CellProps = Props & { field: LineField; described: string | undefined };

function LineCell({ field, line, position, was, errors, categories, described, onChange }: CellProps) {
  const id = useId();
  const learned = field === 'productName' || field === 'category';
  const common = {
    id,
    'data-cell': linePlace(line.key, field),
    'aria-invalid': errors.has(linePlace(line.key, field)),
    ...(described === undefined ? {} : { 'aria-describedby': described }),
    value: line[field],
  };
  const undo = (event: KeyboardEvent) => {
    if (event.key !== 'Escape') return;
    event.preventDefault();
    onChange(line.key, field, was?.[field] ?? '');
  };
  const tidy = () => {
    const amount = field === 'total' || field === 'discount' ? parseDecimal(line[field], MONEY) : undefined;
    if (amount !== undefined) onChange(line.key, field, editMoney(toCentavos(amount)));
  };
  if (learned && isNew(line)) {
    return (
      <span role="gridcell" className={css[field]}>
        <span className="muted">{field === 'productName' ? 'Produto e categoria: depois de salvar' : ''}</span>
      </span>
    );
  }
  return (
    <div role="gridcell" className={css[field]}>
      <label htmlFor={id}>
        {LINE_LABELS[field]}
        <span className="hidden"> da linha {position}</span>
      </label>
      {field === 'category' ? (
        <select {...common} onChange={(event) => onChange(line.key, field, event.target.value)} onKeyDown={undo}>
          <option value="">Sem categoria</option>
          {categories.map((c) => (
            <option key={c.id} value={c.id}>
              {c.name}
            </option>
          ))}
        </select>
      ) : (
        <input
          {...common}
          autoComplete="off"
          {...(NUMBERS.includes(field) ? { inputMode: 'decimal' as const } : {})}
          onChange={(event) => onChange(line.key, field, event.target.value)}
          onBlur={tidy}
          onKeyDown={undo}
        />
      )}
    </div>
  );
}

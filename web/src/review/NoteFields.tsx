import { formatMoney, MONEY, parseDecimal, toCentavos } from '../ui/decimal';
import { Field } from '../ui/Field';
import { type Check, checksAt, FailedCheck } from './Checks';
import { notePlace, type Place } from './correction';
import { type Draft, type NoteField, TOTALS } from './draft';
import css from './Review.module.css';
import { NOTE_LABELS } from './words';

interface Common {
  errors: ReadonlyMap<Place, string>;
  checks: Check[];
  onChange: (field: NoteField, value: string) => void;
}

/** The shop, the moment, and what tells the note apart. */
export function NoteFields({ note, ...common }: Common & { note: Draft['note'] }) {
  return (
    <section className="card stack" aria-labelledby="note">
      <h2 id="note">Loja e nota</h2>
      <div className={css['fields']}>
        <NoteInput field="issuerName" value={note.issuerName} {...common} />
        <NoteInput field="issuerCnpj" value={note.issuerCnpj} {...common} />
        <NoteInput field="issuedAt" value={note.issuedAt} type="datetime-local" {...common} />
        <NoteInput field="number" value={note.number} inputMode="numeric" {...common} />
        <NoteInput field="series" value={note.series} inputMode="numeric" {...common} />
      </div>
      <NoteInput field="accessKey" value={note.accessKey} inputMode="numeric" {...common} />
    </section>
  );
}

/** The amounts at the foot of the note. */
export function TotalFields({ draft, ...common }: Common & { draft: Draft }) {
  const sum = sumOfLines(draft);
  return (
    <section className="card stack" aria-labelledby="totals">
      <h2 id="totals">Valores da nota (R$)</h2>
      {sum !== undefined && <p className="muted">Soma dos itens agora: {formatMoney(sum)}</p>}
      <div className={css['fields']}>
        {TOTALS.map((f) => (
          <NoteInput key={f} field={f} value={draft.note[f]} inputMode="decimal" {...common} />
        ))}
      </div>
    </section>
  );
}

/** In centavos; undefined while an amount is half typed. */
function sumOfLines({ lines }: Draft): number | undefined {
  let sum = 0;
  for (const line of lines) {
    if (line.removed) continue;
    const total = parseDecimal(line.total, MONEY);
    if (total === undefined) return undefined;
    sum += toCentavos(total);
  }
  return sum;
}

interface InputProps extends Common {
  field: NoteField;
  value: string;
  type?: string;
  inputMode?: 'numeric' | 'decimal';
}

function NoteInput({ field, value, errors, checks, onChange, ...input }: InputProps) {
  const failed = checksAt(checks, field);
  return (
    <Field
      label={NOTE_LABELS[field]}
      name={field}
      autoComplete="off"
      value={value}
      onChange={(event) => onChange(field, event.target.value)}
      error={errors.get(notePlace(field))}
      {...input}
      {...(failed.length > 0 ? { hint: failed.map((c) => <FailedCheck key={c.name} check={c} />) } : {})}
    />
  );
}

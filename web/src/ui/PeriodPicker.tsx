import { useState, type SyntheticEvent } from 'react';
import { useSearchParams } from 'wouter';
import { Field } from './Field';
import {
  formatPeriod,
  type Period,
  periodError,
  PRESETS,
  type Preset,
  presetPeriod,
  readPeriod,
  today,
} from './period';

/** The period in the page's address, so that going back and sharing keep it; preset where there is none. */
export function usePeriod(preset: Preset): [Period, (text: string) => void, Preset | undefined] {
  const [search, setSearch] = useSearchParams();
  const day = today();
  const read = readPeriod(search.get('periodo'), day) ?? { preset, period: presetPeriod(preset, day) };
  const set = (text: string) =>
    setSearch((before) => {
      before.set('periodo', text);
      return before;
    });
  return [read.period, set, read.preset];
}

interface Props {
  period: Period;
  preset: Preset | undefined;
  /** The most days of a period that is typed. */
  most: number;
  onChange: (text: string) => void;
}

/** Chooses the days a report is about. */
export function PeriodPicker({ period, preset, most, onChange }: Props) {
  const [open, setOpen] = useState(preset === undefined);
  const [error, setError] = useState<string>();

  function submit(event: SyntheticEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const day = (name: string) => {
      const value = form.get(name);
      return typeof value === 'string' ? value : '';
    };
    const typed = { from: day('from'), to: day('to') };
    const wrong = periodError(typed, most);
    setError(wrong);
    if (wrong === undefined) onChange(`${typed.from}_${typed.to}`);
  }

  return (
    <div className="stack">
      <div className="row" role="group" aria-label="Período">
        {(Object.keys(PRESETS) as Preset[]).map((p) => (
          <button
            key={p}
            type="button"
            className={`button ${preset === p && !open ? 'primary' : ''}`}
            aria-pressed={preset === p && !open}
            onClick={() => {
              setOpen(false);
              onChange(p);
            }}
          >
            {PRESETS[p]}
          </button>
        ))}
        <button
          type="button"
          className={`button ${open ? 'primary' : ''}`}
          aria-expanded={open}
          onClick={() => setOpen(!open)}
        >
          Outro
        </button>
      </div>
      {open && (
        <form className="row" onSubmit={submit} noValidate aria-label="Outro período">
          <Field label="De" name="from" type="date" defaultValue={period.from} error={error} />
          <Field label="Até" name="to" type="date" defaultValue={period.to} />
          <button type="submit" className="button">
            Ver
          </button>
        </form>
      )}
      <p className="muted">{formatPeriod(period)}</p>
    </div>
  );
}

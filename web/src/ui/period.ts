/** Days in Brasília's calendar, both included, as the API takes them: "2026-11-23". */
export interface Period {
  from: string;
  to: string;
}

export type Preset = 'mes' | 'mes-passado' | '3-meses' | '12-meses';

export const PRESETS: Record<Preset, string> = {
  mes: 'Este mês',
  'mes-passado': 'Mês passado',
  '3-meses': 'Três meses',
  '12-meses': 'Doze meses',
};

const calendar = new Intl.DateTimeFormat('sv-SE', { timeZone: 'America/Sao_Paulo', dateStyle: 'short' });

/** Brasília's day, whatever the device's. */
export const today = (now = new Date()): string => calendar.format(now);

/** Whole months, so that the period before is as many months too. The running month counts as one. */
export function presetPeriod(preset: Preset, day: string): Period {
  switch (preset) {
    case 'mes':
      return { from: firstDay(day, 0), to: lastDay(day, 0) };
    case 'mes-passado':
      return { from: firstDay(day, -1), to: lastDay(day, -1) };
    case '3-meses':
      return { from: firstDay(day, -2), to: lastDay(day, 0) };
    case '12-meses':
      return { from: firstDay(day, -11), to: lastDay(day, 0) };
  }
}

function firstDay(day: string, months: number): string {
  return iso(new Date(Date.UTC(year(day), month(day) + months, 1)));
}

function lastDay(day: string, months: number): string {
  return iso(new Date(Date.UTC(year(day), month(day) + months + 1, 0)));
}

const year = (day: string): number => Number(day.slice(0, 4));
const month = (day: string): number => Number(day.slice(5, 7)) - 1;
const iso = (date: Date): string => date.toISOString().slice(0, 10);

/** How many days a period has. */
export function days({ from, to }: Period): number {
  return Math.round((Date.parse(to) - Date.parse(from)) / 86_400_000) + 1;
}

/** What is wrong with a period that somebody typed; undefined when nothing is. */
export function periodError(period: Period, most: number): string | undefined {
  if (!isDay(period.from) || !isDay(period.to)) return 'Escolha os dois dias.';
  if (period.from > period.to) return 'O primeiro dia vem depois do último.';
  return days(period) > most ? `Escolha no máximo ${most} dias.` : undefined;
}

const isDay = (text: string): boolean => /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text));

/** The period in an address: a preset's name, or "2026-11-01_2026-11-23". What is neither is undefined. */
export function readPeriod(text: string | null, day: string): { preset?: Preset; period: Period } | undefined {
  if (text === null) return undefined;
  if (Object.hasOwn(PRESETS, text)) return { preset: text as Preset, period: presetPeriod(text as Preset, day) };
  const [from = '', to = ''] = text.split('_');
  return periodError({ from, to }, Infinity) === undefined ? { period: { from, to } } : undefined;
}

/** "23/11/2026", without asking a clock: it is a day, not a moment. */
export const formatDay = (day: string): string => `${day.slice(8, 10)}/${day.slice(5, 7)}/${day.slice(0, 4)}`;

export const formatPeriod = ({ from, to }: Period): string => `${formatDay(from)} a ${formatDay(to)}`;

const months = new Intl.DateTimeFormat('pt-BR', { timeZone: 'UTC', month: 'short', year: 'numeric' });

/** "nov. de 2026" for "2026-11". */
export const formatMonth = (text: string): string => months.format(new Date(`${text}-01T00:00:00Z`));

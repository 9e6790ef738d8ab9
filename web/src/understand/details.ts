import { formatDecimal } from '../ui/format';
import { DETAIL, FOOD_GROUP, FREQUENCY, KIND, MEASURE } from './words';

/** One figure of an insight in words; a list has parts in place of a value. */
export interface Detail {
  label: string;
  value?: string;
  parts?: string[];
}

type Values = Record<string, unknown>;

/** The details of an insight for people: amounts as they are written, percentages with their sign, names in place of codes. */
export function describe(details: unknown): Detail[] {
  if (!isObject(details)) return [];
  return Object.entries(details).flatMap(([key, value]): Detail[] => {
    const label = DETAIL[key] ?? key.replaceAll('_', ' ');
    if (value === null || value === undefined) return [];
    if (Array.isArray(value)) return value.length === 0 ? [] : [{ label, parts: value.map((v) => part(key, v)) }];
    if (!isObject(value) || isMoney(value)) return [{ label, value: text(key, value) }];
    const entries = Object.entries(value);
    return entries.length === 0 ? [] : [{ label, parts: entries.map(([k, v]) => `${named(k)}: ${text(key, v)}`) }];
  });
}

/** An entry of a list: a code, or an object whose first text names it. */
function part(key: string, value: unknown): string {
  if (!isObject(value)) return text(key, value);
  const entries = Object.entries(value).filter(([, v]) => v !== null && v !== '');
  const at = entries.findIndex(([k]) => k === 'product' || k === 'category');
  const name = at < 0 ? undefined : text('', entries[at]?.[1]);
  const rest = entries
    .filter((_, i) => i !== at)
    .map(([k, v]) => `${(DETAIL[k] ?? k).toLowerCase()} ${text(k, v)}`)
    .join(', ');
  return name === undefined ? rest : `${name}: ${rest}`;
}

function text(key: string, value: unknown): string {
  if (isMoney(value)) return value.formatted;
  if (typeof value === 'boolean') return value ? 'sim' : 'não';
  if (typeof value === 'number') return formatDecimal(String(value));
  if (typeof value !== 'string') return '';
  const number = /^-?\d+(\.\d+)?$/.test(value);
  if (number) return formatDecimal(value) + (key.includes('percent') ? '%' : '');
  if (key === 'measure') return (MEASURE as Record<string, string>)[value] ?? value;
  if (key === 'frequency') return FREQUENCY[value] ?? value;
  return named(value);
}

const named = (code: string): string => FOOD_GROUP[code] ?? (KIND as Record<string, string>)[code] ?? code;

const isObject = (value: unknown): value is Values =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isMoney = (value: unknown): value is { formatted: string } =>
  isObject(value) && typeof value['formatted'] === 'string';

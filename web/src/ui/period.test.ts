import { expect, test } from 'vitest';
import { days, formatDay, formatMonth, periodError, presetPeriod, readPeriod, today } from './period';

test('a day is Brasília’s', () => {
  expect(today(new Date('2026-12-01T02:59:00Z'))).toBe('2026-11-30');
  expect(today(new Date('2026-12-01T03:00:00Z'))).toBe('2026-12-01');
});

test('presets are whole months', () => {
  expect(presetPeriod('mes', '2028-02-10')).toEqual({ from: '2028-02-01', to: '2028-02-29' });
  expect(presetPeriod('mes-passado', '2026-01-31')).toEqual({ from: '2025-12-01', to: '2025-12-31' });
  expect(presetPeriod('3-meses', '2026-01-31')).toEqual({ from: '2025-11-01', to: '2026-01-31' });
  expect(presetPeriod('12-meses', '2026-11-23')).toEqual({ from: '2025-12-01', to: '2026-11-30' });
});

test('a period has both its ends', () => {
  expect(days({ from: '2026-11-23', to: '2026-11-23' })).toBe(1);
  expect(days({ from: '2028-02-01', to: '2028-03-01' })).toBe(30);
});

test('what is wrong with a period is told', () => {
  expect(periodError({ from: '2026-11-02', to: '2026-11-01' }, 366)).toMatch(/depois/);
  expect(periodError({ from: '', to: '2026-11-01' }, 366)).toMatch(/dois dias/);
  expect(periodError({ from: '2026-01-01', to: '2027-01-01' }, 366)).toBeUndefined();
  expect(periodError({ from: '2026-01-01', to: '2027-01-02' }, 366)).toMatch(/366/);
});

test('an address holds a period', () => {
  expect(readPeriod('mes', '2026-11-23')?.preset).toBe('mes');
  expect(readPeriod('2026-11-01_2026-11-23', '2026-11-23')?.period).toEqual({ from: '2026-11-01', to: '2026-11-23' });
  for (const text of [null, '', 'toString', '2026-11-24_2026-11-23'])
    expect(readPeriod(text, '2026-11-23')).toBeUndefined();
});

test('days and months in words', () => {
  expect(formatDay('2026-11-03')).toBe('03/11/2026');
  expect(formatMonth('2026-11')).toBe('nov. de 2026');
});

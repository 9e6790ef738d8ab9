import { expect, test } from 'vitest';
import { type KeyPress, move } from './grid';

const at = (start: number, end = start, length = 4) => ({ start, end, length });
const press = (key: string, more: Partial<KeyPress> = {}): KeyPress => ({ key, shift: false, caret: at(4), ...more });
const go = (k: KeyPress, row: number, column: number) => move(k, { row, column }, 3, 5);

test('enter goes down, and back up with shift', () => {
  expect(go(press('Enter'), 0, 2)).toEqual({ row: 1, column: 2 });
  expect(go(press('Enter', { shift: true }), 1, 2)).toEqual({ row: 0, column: 2 });
  expect(go(press('Enter', { shift: true }), 0, 2)).toBeNull();
});

test('enter on the last line adds one', () => {
  expect(go(press('Enter'), 2, 0)).toBe('add');
});

test('up and down stay within the table', () => {
  expect(go(press('ArrowUp'), 0, 1)).toBeNull();
  expect(go(press('ArrowUp'), 1, 1)).toEqual({ row: 0, column: 1 });
  expect(go(press('ArrowDown'), 2, 1)).toBeNull();
});

test('left and right leave a text at its ends only', () => {
  expect(go(press('ArrowLeft', { caret: at(1) }), 0, 1)).toBeNull();
  expect(go(press('ArrowLeft', { caret: at(0) }), 0, 1)).toEqual({ row: 0, column: 0 });
  expect(go(press('ArrowLeft', { caret: at(0) }), 0, 0)).toBeNull();
  expect(go(press('ArrowRight', { caret: at(3) }), 0, 1)).toBeNull();
  expect(go(press('ArrowRight', { caret: at(4) }), 0, 1)).toEqual({ row: 0, column: 2 });
  expect(go(press('ArrowRight', { caret: at(4) }), 0, 4)).toBeNull();
});

test('a selection is not left', () => {
  expect(go(press('ArrowRight', { caret: at(0, 4) }), 0, 1)).toBeNull();
  expect(go(press('ArrowLeft', { caret: at(0, 4) }), 0, 1)).toBeNull();
});

test('in a list of choices up and down choose', () => {
  expect(go(press('ArrowDown', { caret: null }), 0, 1)).toBeNull();
  expect(go(press('ArrowRight', { caret: null }), 0, 1)).toEqual({ row: 0, column: 2 });
  expect(go(press('Enter', { caret: null }), 0, 1)).toEqual({ row: 1, column: 1 });
});

test('other keys are the input’s own', () => {
  expect(go(press('Tab'), 0, 1)).toBeNull();
  expect(go(press('a'), 0, 1)).toBeNull();
});

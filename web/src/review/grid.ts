/** Where a key leads in the table of lines. Cells are counted from 0. */
export interface Cell {
  row: number;
  column: number;
}

export interface KeyPress {
  key: string;
  shift: boolean;
  /** Where the caret is, and whether something is selected; null for what has no caret, such as a list of choices. */
  caret: { start: number; end: number; length: number } | null;
}

/**
 * The cell to go to; 'add' for a new line below the last one; null when the key is the input's own. Enter goes down as in a
 * spreadsheet. Left and right leave a text only at its ends. In a list of choices up and down choose.
 */
export function move({ key, shift, caret }: KeyPress, from: Cell, rows: number, columns: number): Cell | 'add' | null {
  switch (key) {
    case 'Enter':
      if (shift) return vertical(from, -1, rows);
      return from.row === rows - 1 ? 'add' : vertical(from, 1, rows);
    case 'ArrowUp':
      return caret === null ? null : vertical(from, -1, rows);
    case 'ArrowDown':
      return caret === null ? null : vertical(from, 1, rows);
    case 'ArrowLeft':
      if (caret !== null && (caret.start !== 0 || caret.end !== 0)) return null;
      return horizontal(from, -1, columns);
    case 'ArrowRight':
      if (caret !== null && (caret.start !== caret.length || caret.end !== caret.length)) return null;
      return horizontal(from, 1, columns);
    default:
      return null;
  }
}

function vertical({ row, column }: Cell, by: number, rows: number): Cell | null {
  const next = row + by;
  return next < 0 || next >= rows ? null : { row: next, column };
}

function horizontal({ row, column }: Cell, by: number, columns: number): Cell | null {
  const next = column + by;
  return next < 0 || next >= columns ? null : { row, column: next };
}

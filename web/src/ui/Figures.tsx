import { lazy, Suspense, useState, type ReactNode } from 'react';
import { Link } from 'wouter';
import type { ChartProps } from './Chart';
import css from './Chart.module.css';
import { Loading } from './Feedback';

const Chart = lazy(() => import('./Chart'));

export interface Row {
  key: string;
  name: string;
  /** Where the name leads to. */
  href?: string | undefined;
  cells: ReactNode[];
}

interface Props {
  /** Undefined where there is nothing to draw: then there is the table alone. */
  chart: ChartProps | undefined;
  caption: string;
  /** The first one is the one of the names. */
  columns: string[];
  rows: Row[];
}

/** The same figures as a drawing or as a table, whichever the person likes. Screen readers always have the table. */
export function Figures({ chart, caption, columns, rows }: Props) {
  const [asTable, setAsTable] = useState(false);
  const drawn = chart !== undefined && !asTable;
  return (
    <div className="stack">
      {chart !== undefined && (
        <div className="row">
          <button type="button" className="button" aria-pressed={asTable} onClick={() => setAsTable(!asTable)}>
            Ver como tabela
          </button>
        </div>
      )}
      {drawn && (
        <Suspense fallback={<Loading what="Desenhando…" />}>
          <Chart {...chart} />
        </Suspense>
      )}
      <div {...(drawn ? { className: 'hidden' } : scrollable(caption))}>
        <table className={css['table']}>
          <caption className="hidden">{caption}</caption>
          <thead>
            <tr>
              {columns.map((c) => (
                <th key={c} scope="col">
                  {c}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(({ key, name, href, cells }) => (
              <tr key={key}>
                {/* A link that nobody sees must not take the focus. */}
                <th scope="row">{href === undefined || drawn ? name : <Link href={href}>{name}</Link>}</th>
                {cells.map((cell, i) => (
                  <td key={i} data-label={columns[i + 1]}>
                    {cell}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

/** A table that is wider than its place is scrolled, with the keyboard too. */
const scrollable = (caption: string) => ({
  className: css['scroll'],
  role: 'region',
  tabIndex: 0,
  'aria-label': `${caption}, tabela`,
});

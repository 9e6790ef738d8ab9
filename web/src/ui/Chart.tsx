import {
  BarController,
  BarElement,
  CategoryScale,
  Chart as Drawing,
  Legend,
  LinearScale,
  LineController,
  LineElement,
  PointElement,
  Tooltip,
} from 'chart.js';
import { useEffect, useRef } from 'react';
import css from './Chart.module.css';

/** The part of Chart.js that is used; the rest is not in the bundle. */
Drawing.register(
  BarController,
  BarElement,
  CategoryScale,
  Legend,
  LinearScale,
  LineController,
  LineElement,
  PointElement,
  Tooltip,
);

export interface Series {
  name: string;
  /** null where there is nothing to show. */
  values: (number | null)[];
}

export interface ChartProps {
  /** What is shown, for who does not see it. */
  label: string;
  kind: 'bars' | 'lines';
  labels: string[];
  series: Series[];
  format: (value: number) => string;
  /** More about each point, shown with it. */
  notes?: string[];
  /** The points to mark. */
  marked?: boolean[];
}

const LONGEST = 22;
const short = (text: string): string => (text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text);

/** A drawing of figures. It is always shown beside, or in place of, a table of the same figures. */
export default function Chart(props: ChartProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (canvas.current === null) return;
    const place = canvas.current;
    let drawing = draw(place, props);
    const again = () => {
      drawing.destroy();
      drawing = draw(place, props);
    };
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    scheme.addEventListener('change', again);
    return () => {
      scheme.removeEventListener('change', again);
      drawing.destroy();
    };
  }, [props]);
  const rows = props.kind === 'bars' ? props.labels.length * props.series.length : 0;
  return (
    <div
      className={css['frame']}
      role="img"
      aria-label={props.label}
      style={{ height: rows === 0 ? 280 : 72 + rows * 22 }}
    >
      <canvas ref={canvas} />
    </div>
  );
}

function draw(canvas: HTMLCanvasElement, { kind, labels, series, format, notes, marked }: ChartProps): Drawing {
  const colour = colours(canvas);
  const paint = [colour('--brand'), colour('--field')];
  const text = colour('--text');
  const grid = { color: colour('--line') };
  const flat = kind === 'bars';
  return new Drawing(canvas, {
    type: flat ? 'bar' : 'line',
    data: {
      labels,
      datasets: series.map((s, i) => ({
        label: s.name,
        data: s.values,
        backgroundColor: paint[i] ?? text,
        borderColor: paint[i] ?? text,
        ...(flat
          ? { borderRadius: 4 }
          : { spanGaps: true, pointRadius: labels.map((_, at) => (marked?.[at] ? 8 : 4)) }),
      })),
    },
    options: {
      animation: false,
      locale: 'pt-BR',
      maintainAspectRatio: false,
      indexAxis: flat ? 'y' : 'x',
      font: { family: getComputedStyle(canvas).fontFamily },
      color: text,
      scales: {
        [flat ? 'x' : 'y']: {
          grid,
          beginAtZero: flat,
          ticks: { color: text, maxTicksLimit: 5, callback: (value) => format(Number(value)) },
        },
        [flat ? 'y' : 'x']: {
          grid: { display: false },
          ticks: { color: text, autoSkip: !flat, callback: (_value, at) => short(labels[at] ?? '') },
        },
      },
      plugins: {
        legend: { display: series.length > 1, labels: { color: text } },
        tooltip: {
          callbacks: {
            label: (item) => `${item.dataset.label ?? ''}: ${format(Number(item.raw))}`,
            afterLabel: (item) => notes?.[item.dataIndex] ?? '',
          },
        },
      },
    },
  });
}

/** Reads the theme's colours as they are at the moment: a canvas knows no custom properties. */
function colours(canvas: HTMLCanvasElement): (name: string) => string {
  return (name) => {
    canvas.style.color = `var(${name})`;
    const colour = getComputedStyle(canvas).color;
    canvas.style.color = '';
    return colour;
  };
}

import { useMemo } from 'react';
import { useQuery } from 'urql';
import { useSearchParams } from 'wouter';
import { explain } from '../app/errors';
import { SpendingDocument, type SpendingGroup, type SpendingQuery } from '../graphql/generated/graphql';
import type { ChartProps } from '../ui/Chart';
import { formatMoney } from '../ui/decimal';
import { Failure, Loading } from '../ui/Feedback';
import { Figures } from '../ui/Figures';
import { count, formatDecimal } from '../ui/format';
import { formatMonth, formatPeriod } from '../ui/period';
import { PeriodPicker, usePeriod } from '../ui/PeriodPicker';
import { change, drawn, GROUPS, readGroup } from './spending';
import css from './Understand.module.css';
import { Understand } from './Understand';

const MOST_DAYS = 1827;

/** Where the money went, beside the period before. */
export default function SpendingPage() {
  const [period, setPeriod, preset] = usePeriod('3-meses');
  const [search, setSearch] = useSearchParams();
  const groupBy = readGroup(search.get('por'));
  const [{ data, error, fetching }] = useQuery({
    query: SpendingDocument,
    variables: { period: { from: period.from, to: period.to }, groupBy },
    requestPolicy: 'cache-and-network',
  });
  const choose = (group: SpendingGroup) =>
    setSearch((before) => {
      before.set('por', GROUPS[group].address);
      return before;
    });
  return (
    <Understand title="Gastos">
      <PeriodPicker period={period} preset={preset} most={MOST_DAYS} onChange={setPeriod} />
      <div className="row" role="group" aria-label="Dividir por">
        {(Object.keys(GROUPS) as SpendingGroup[]).map((g) => (
          <button
            key={g}
            type="button"
            className={`button ${g === groupBy ? 'primary' : ''}`}
            aria-pressed={g === groupBy}
            onClick={() => choose(g)}
          >
            {GROUPS[g].label}
          </button>
        ))}
      </div>
      {data !== undefined && <Report report={data.spending} groupBy={groupBy} />}
      {data === undefined && (fetching || !error ? <Loading /> : <Failure>{explain(error)}</Failure>)}
    </Understand>
  );
}

type Spent = SpendingQuery['spending'];

function Report({ report, groupBy }: { report: Spent; groupBy: SpendingGroup }) {
  const { groups, total, previousTotal, previousFrom, previousTo, purchases, unassigned } = report;
  const before = formatPeriod({ from: previousFrom, to: previousTo });
  const chart = useMemo(() => drawing(groups, groupBy), [groups, groupBy]);
  return (
    <>
      <section className="card" aria-label="Total do período">
        <p>
          <span className={`amount ${css['big'] ?? ''}`}>{total.formatted}</span> em{' '}
          {count(purchases, 'compra', 'compras')}
        </p>
        <p className="muted">
          {before}: {previousTotal.formatted} · {change(total.centavos, previousTotal.centavos)}
        </p>
      </section>
      {groups.length === 0 ? (
        <p className="card">Nenhuma compra neste período.</p>
      ) : (
        <section className="card stack" aria-labelledby="groups">
          <h2 id="groups">{GROUPS[groupBy].heading}</h2>
          {groups.length > chart.labels.length && (
            <p className="muted">O gráfico mostra os {chart.labels.length} maiores; a tabela mostra todos.</p>
          )}
          <Figures
            chart={chart}
            caption={GROUPS[groupBy].heading}
            columns={[GROUPS[groupBy].column, 'Total', 'Antes', 'Diferença', 'Parte', 'Compras']}
            rows={groups.map((g) => ({
              key: g.key,
              name: groupBy === 'MONTH' ? formatMonth(g.key) : g.name,
              href: g.product == null ? undefined : `/entender/produtos/${g.product.id}`,
              cells: [
                <span className="amount">{g.total.formatted}</span>,
                <span className="amount">{g.previousTotal.formatted}</span>,
                change(g.total.centavos, g.previousTotal.centavos),
                `${formatDecimal(g.share)}%`,
                g.purchases,
              ],
            }))}
          />
          {unassigned.centavos !== 0 && (
            <p className="muted">Frete, acréscimos e descontos da compra inteira: {unassigned.formatted}.</p>
          )}
        </section>
      )}
    </>
  );
}

function drawing(groups: Spent['groups'], groupBy: SpendingGroup): ChartProps {
  const shown = drawn(groups, groupBy);
  return {
    label: `Gráfico: ${GROUPS[groupBy].heading.toLowerCase()}. Os mesmos números estão na tabela.`,
    kind: 'bars',
    labels: shown.map((g) => (groupBy === 'MONTH' ? formatMonth(g.key) : g.name)),
    series: [
      { name: 'Este período', values: shown.map((g) => g.total.centavos / 100) },
      { name: 'Período anterior', values: shown.map((g) => g.previousTotal.centavos / 100) },
    ],
    format: (value) => formatMoney(Math.round(value * 100)),
  };
}

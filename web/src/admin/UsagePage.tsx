import { useMemo } from 'react';
import { useQuery } from 'urql';
import { explain } from '../app/errors';
import { UsageDocument, type UsageQuery } from '../graphql/generated/graphql';
import type { ChartProps } from '../ui/Chart';
import { Failure, Loading } from '../ui/Feedback';
import { Figures } from '../ui/Figures';
import { formatDay } from '../ui/period';
import { PeriodPicker, usePeriod } from '../ui/PeriodPicker';
import { providerName } from '../ui/providers';
import { Admin } from './Admin';
import css from './Admin.module.css';

const MOST_DAYS = 366;
const number = new Intl.NumberFormat('pt-BR');
const dollars = new Intl.NumberFormat('pt-BR', { style: 'currency', currency: 'USD', maximumFractionDigits: 4 });

/** What everybody's calls to models were, and cost. */
export default function UsagePage() {
  const [period, setPeriod, preset] = usePeriod('mes');
  const [{ data, error, fetching }] = useQuery({
    query: UsageDocument,
    variables: { period: { from: period.from, to: period.to } },
    requestPolicy: 'cache-and-network',
  });
  return (
    <Admin title="Uso e custo">
      <PeriodPicker period={period} preset={preset} most={MOST_DAYS} onChange={setPeriod} />
      {data !== undefined && <Report report={data.usage} />}
      {data === undefined && (fetching || !error ? <Loading /> : <Failure>{explain(error)}</Failure>)}
    </Admin>
  );
}

type Usage = UsageQuery['usage'];

function Report({ report }: { report: Usage }) {
  const facts: [string, string][] = [
    ['Custo', report.cost.formatted],
    ['Custo estimado do que não foi informado', report.estimated.formatted],
    ['Poupado pelo cache', report.savedByCache.formatted],
    ['Chamadas', number.format(report.calls)],
    ['Falharam', number.format(report.failed)],
    ['Respostas do cache', number.format(report.cached)],
    ['Sem custo conhecido', number.format(report.uncosted)],
    ['Tokens de entrada', number.format(report.inputTokens)],
    ['Tokens de saída', number.format(report.outputTokens)],
  ];
  const chart = useMemo(() => drawing(report.byDay), [report.byDay]);
  return (
    <>
      <section className="card" aria-label="Resumo">
        <dl className={css['facts']}>
          {facts.map(([label, value]) => (
            <div key={label}>
              <dt>{label}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      </section>
      {report.byModel.length > 0 && (
        <section className="card stack" aria-labelledby="models">
          <h2 id="models">Por modelo</h2>
          <Figures
            chart={undefined}
            caption="Uso por modelo"
            columns={['Modelo', 'Custo', 'Chamadas', 'Falharam', 'Do cache', 'Entrada', 'Saída']}
            rows={report.byModel.map((m) => ({
              key: `${m.provider} ${m.model}`,
              name: `${providerName(m.provider)} ${m.model}`,
              cells: [
                <span className="amount">{m.cost.formatted}</span>,
                ...[m.calls, m.failed, m.cached, m.inputTokens, m.outputTokens].map((n) => number.format(n)),
              ],
            }))}
          />
        </section>
      )}
      {report.byDay.length > 0 && (
        <section className="card stack" aria-labelledby="days">
          <h2 id="days">Por dia</h2>
          <Figures
            chart={chart}
            caption="Uso por dia"
            columns={['Dia', 'Custo', 'Chamadas', 'Falharam', 'Do cache']}
            rows={report.byDay.map((d) => ({
              key: d.day,
              name: formatDay(d.day),
              cells: [
                <span className="amount">{d.cost.formatted}</span>,
                ...[d.calls, d.failed, d.cached].map((n) => number.format(n)),
              ],
            }))}
          />
        </section>
      )}
    </>
  );
}

function drawing(byDay: Usage['byDay']): ChartProps {
  return {
    label: 'Gráfico: custo por dia. Os mesmos números estão na tabela.',
    kind: 'lines',
    labels: byDay.map((d) => formatDay(d.day)),
    series: [{ name: 'Custo', values: byDay.map((d) => d.cost.microUsd / 1e6) }],
    format: (value) => dollars.format(value),
    notes: byDay.map((d) => `${number.format(d.calls)} chamadas`),
  };
}

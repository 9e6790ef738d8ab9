import { useMemo, useState } from 'react';
import { useQuery } from 'urql';
import { Link } from 'wouter';
import { explain } from '../app/errors';
import { NotFound } from '../app/NotFound';
import { type ProductCardFragment, ProductDocument, type ProductQuery } from '../graphql/generated/graphql';
import type { ChartProps } from '../ui/Chart';
import { formatMoney, formatPrice } from '../ui/decimal';
import { Failure, Loading } from '../ui/Feedback';
import { Figures } from '../ui/Figures';
import { formatDecimal } from '../ui/format';
import { formatDay } from '../ui/period';
import { Understand } from './Understand';
import { MEASURE } from './words';

/** A product and what it cost each time. */
export default function ProductPage({ id }: { id: string }) {
  const [{ data, error, fetching }] = useQuery({
    query: ProductDocument,
    variables: { id },
    requestPolicy: 'cache-and-network',
  });
  if (data === undefined) return fetching || !error ? <Loading /> : <Failure>{explain(error)}</Failure>;
  const product = data.node;
  if (product == null || !('measure' in product)) return <NotFound />;
  const size = product.size == null ? [] : [`${formatDecimal(product.size)} ${product.measure.toLowerCase()}`];
  const facts = [product.category.name, ...(product.brand == null ? [] : [product.brand]), ...size];
  return (
    <Understand title={product.name}>
      <p className="muted">
        {facts.join(' · ')}
        {product.gtin != null && ` · código de barras ${product.gtin}`}
      </p>
      <Prices product={product} points={data.priceHistory} />
      <p>
        <Link href="/entender/produtos">Voltar aos produtos</Link>
      </p>
    </Understand>
  );
}

type Point = ProductQuery['priceHistory'][number];
type By = 'price' | 'measurePrice';

function Prices({ product, points }: { product: ProductCardFragment; points: Point[] }) {
  const [by, setBy] = useState<By>('price');
  const perMeasure = `Preço por ${MEASURE[product.measure]}`;
  const chart = useMemo(() => drawing(points, by, by === 'price' ? 'Preço' : perMeasure), [points, by, perMeasure]);
  if (points.length === 0) return <p className="card">Nenhuma compra deste produto.</p>;
  return (
    <section className="card stack" aria-labelledby="prices">
      <h2 id="prices">Preços</h2>
      {points.some((p) => p.measurePrice != null) && (
        <fieldset className="row">
          <legend className="hidden">O gráfico mostra</legend>
          {(['price', 'measurePrice'] as const).map((b) => (
            <label key={b} className="row">
              <input type="radio" name="by" checked={by === b} onChange={() => setBy(b)} />
              {b === 'price' ? 'Preço como vendido' : perMeasure}
            </label>
          ))}
        </fieldset>
      )}
      <Figures
        chart={points.length > 1 ? chart : undefined}
        caption={`Preços de ${product.name}`}
        columns={['Dia', 'Loja', 'Quantidade', 'Preço', perMeasure, 'Marca']}
        rows={points.map((p, i) => ({
          key: String(i),
          name: formatDay(p.on),
          href: p.invoice == null ? undefined : `/notas/${p.invoice.id}`,
          cells: [
            p.merchant.name,
            formatDecimal(p.quantity),
            <span className="amount">{p.price == null ? '—' : formatPrice(p.price)}</span>,
            <span className="amount">{p.measurePrice == null ? '—' : formatPrice(p.measurePrice)}</span>,
            p.cheapest ? <strong className="good">★ mais barato</strong> : '',
          ],
        }))}
      />
    </section>
  );
}

function drawing(points: Point[], by: By, name: string): ChartProps {
  return {
    label: `Gráfico: ${name.toLowerCase()} ao longo do tempo. Os mesmos números estão na tabela.`,
    kind: 'lines',
    labels: points.map((p) => formatDay(p.on)),
    series: [{ name, values: points.map((p) => (p[by] == null ? null : Number(p[by]))) }],
    format: (value) => formatMoney(Math.round(value * 100)),
    notes: points.map((p) => p.merchant.name + (p.cheapest ? ', mais barato' : '')),
    marked: points.map((p) => p.cheapest),
  };
}

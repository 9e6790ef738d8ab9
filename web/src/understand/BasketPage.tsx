import { useState, type SyntheticEvent } from 'react';
import { useQuery } from 'urql';
import { explain } from '../app/errors';
import { BasketDocument, type BasketLineInput, type BasketQuery } from '../graphql/generated/graphql';
import { formatPrice, parseDecimal, QUANTITY } from '../ui/decimal';
import { Failure, Loading } from '../ui/Feedback';
import { Field } from '../ui/Field';
import { count } from '../ui/format';
import { formatDay } from '../ui/period';
import { ProductList } from './ProductList';
import css from './Understand.module.css';
import { Understand } from './Understand';

const MOST = 100;

interface Wanted {
  productId: string;
  name: string;
  /** As typed. */
  quantity: string;
}

/** What a list of products would cost at the shops the person knows. */
export default function BasketPage() {
  const [wanted, setWanted] = useState<Wanted[]>([]);
  const [asked, setAsked] = useState<BasketLineInput[]>();
  const [wrong, setWrong] = useState<ReadonlySet<string>>(new Set());

  function change(next: Wanted[]) {
    setWanted(next);
    setAsked(undefined);
  }

  function compare(event: SyntheticEvent) {
    event.preventDefault();
    const bad = new Set<string>();
    const lines = wanted.flatMap(({ productId, quantity }) => {
      const number = parseDecimal(quantity, { ...QUANTITY, decimals: 3 });
      if (number !== undefined && Number(number) > 0 && Number(number) <= 9999)
        return [{ productId, quantity: number }];
      bad.add(productId);
      return [];
    });
    setWrong(bad);
    if (bad.size === 0) setAsked(lines);
  }

  return (
    <Understand title="Cesta">
      <p>Monte uma lista e veja em que loja ela sai mais barata, pelos últimos preços que você pagou.</p>
      <form className="card stack" onSubmit={compare} noValidate aria-labelledby="basket">
        <h2 id="basket">Sua cesta</h2>
        {wanted.length === 0 && <p className="muted">Ainda vazia: escolha produtos abaixo.</p>}
        <ul>
          {wanted.map((w) => (
            <li key={w.productId} className={css['line']}>
              <span>{w.name}</span>
              <Field
                label="Quantidade"
                aria-label={`Quantidade de ${w.name}`}
                inputMode="decimal"
                autoComplete="off"
                value={w.quantity}
                error={wrong.has(w.productId) ? 'De 0,001 a 9999, com vírgula.' : undefined}
                onChange={(event) => change(wanted.map((o) => (o === w ? { ...o, quantity: event.target.value } : o)))}
              />
              <button
                type="button"
                className="button danger"
                aria-label={`Tirar ${w.name}`}
                onClick={() => change(wanted.filter((o) => o !== w))}
              >
                Tirar
              </button>
            </li>
          ))}
        </ul>
        <div className="row">
          <button type="submit" className="button primary" disabled={wanted.length === 0}>
            Comparar lojas
          </button>
        </div>
      </form>
      {asked && <Offers lines={asked} />}
      <section className="card stack" aria-labelledby="products">
        <h2 id="products">Produtos</h2>
        <ProductList size={10}>
          {(p) => {
            const there = wanted.some((w) => w.productId === p.id);
            return (
              <>
                <span>{p.name}</span>
                <button
                  type="button"
                  className="button"
                  disabled={there || wanted.length === MOST}
                  aria-label={`Pôr na cesta: ${p.name}`}
                  onClick={() => change([...wanted, { productId: p.id, name: p.name, quantity: '1' }])}
                >
                  {there ? 'Na cesta' : 'Pôr na cesta'}
                </button>
              </>
            );
          }}
        </ProductList>
      </section>
    </Understand>
  );
}

function Offers({ lines }: { lines: BasketLineInput[] }) {
  const [{ data, error, fetching }] = useQuery({
    query: BasketDocument,
    variables: { lines },
    requestPolicy: 'cache-and-network',
  });
  if (data === undefined) return fetching || !error ? <Loading /> : <Failure>{explain(error)}</Failure>;
  if (data.basket.length === 0) return <p className="card">Nenhuma loja tem preços destes produtos.</p>;
  return (
    <section className="stack" aria-labelledby="offers">
      <h2 id="offers">Quanto custaria</h2>
      <ol className="stack">
        {data.basket.map((offer) => (
          <li key={offer.merchant.key} className="card stack">
            <Offer offer={offer} />
          </li>
        ))}
      </ol>
    </section>
  );
}

function Offer({ offer }: { offer: BasketQuery['basket'][number] }) {
  return (
    <>
      <h3>{offer.merchant.name}</h3>
      <p>
        <strong className={`amount ${css['big'] ?? ''}`}>{offer.total.formatted}</strong>{' '}
        {offer.complete ? (
          <span className="good">cesta completa</span>
        ) : (
          <span className="warn">sem preço de {count(offer.missing.length, 'produto', 'produtos')}</span>
        )}
      </p>
      <ul className={css['items']}>
        {offer.prices.map((p) => (
          <li key={p.product.id}>
            <span>
              {p.product.name}{' '}
              <span className="muted">
                a {formatPrice(p.price)} em {formatDay(p.on)}
              </span>
            </span>
            <span className="amount">{p.total.formatted}</span>
          </li>
        ))}
      </ul>
      {!offer.complete && <p className="muted">Nunca comprados lá: {offer.missing.map((p) => p.name).join(', ')}.</p>}
    </>
  );
}

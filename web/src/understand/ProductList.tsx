import { useState, type ReactNode } from 'react';
import { useQuery } from 'urql';
import { explain } from '../app/errors';
import { type ProductCardFragment, ProductsDocument } from '../graphql/generated/graphql';
import { Failure, Loading } from '../ui/Feedback';
import { Field } from '../ui/Field';
import { count } from '../ui/format';
import css from './Understand.module.css';
import { useSettled } from './useSettled';

interface Props {
  /** How many at a time, from 1 to 100. */
  size: number;
  /** What is shown of a product. */
  children: (product: ProductCardFragment) => ReactNode;
}

/** Searches the person's products. */
export function ProductList({ size, children }: Props) {
  const [typed, setTyped] = useState('');
  const search = useSettled(typed.trim());
  return (
    <div className="stack">
      <div className={css['search']} role="search">
        <Field
          label="Buscar produto"
          type="search"
          autoComplete="off"
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
        />
      </div>
      <Found key={search} search={search} size={size}>
        {children}
      </Found>
    </div>
  );
}

function Found({ search, size, children }: Props & { search: string }) {
  const [cursors, setCursors] = useState<(string | undefined)[]>([undefined]);
  return (
    <>
      {cursors.map((after, i) => (
        <Part
          key={after ?? ''}
          search={search}
          size={size}
          after={after}
          isLast={i === cursors.length - 1}
          onMore={(end) => setCursors((before) => [...before, end])}
        >
          {children}
        </Part>
      ))}
    </>
  );
}

interface PartProps extends Props {
  search: string;
  after: string | undefined;
  isLast: boolean;
  onMore: (cursor: string) => void;
}

function Part({ search, size, after, isLast, onMore, children }: PartProps) {
  const [{ data, error, fetching }] = useQuery({
    query: ProductsDocument,
    variables: { first: size, ...(search === '' ? {} : { search }), ...(after === undefined ? {} : { after }) },
    requestPolicy: 'cache-and-network',
  });
  if (data === undefined) return fetching || !error ? <Loading /> : <Failure>{explain(error)}</Failure>;
  const { nodes, pageInfo, totalCount } = data.products;
  const end = pageInfo.endCursor;
  return (
    <>
      {after === undefined && (
        <p className="muted" role="status">
          {totalCount === 0 ? 'Nenhum produto encontrado.' : count(totalCount, 'produto', 'produtos')}
        </p>
      )}
      <ul className={css['items']}>
        {nodes.map((p) => (
          <li key={p.id}>{children(p)}</li>
        ))}
      </ul>
      {isLast && pageInfo.hasNextPage && end != null && (
        <button type="button" className="button" onClick={() => onMore(end)}>
          Mostrar mais
        </button>
      )}
    </>
  );
}

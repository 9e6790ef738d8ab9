import { Link } from 'wouter';
import { ProductList } from './ProductList';
import { Understand } from './Understand';

/** What the person buys, by name. */
export default function ProductsPage() {
  return (
    <Understand title="Produtos">
      <section className="card">
        <ProductList size={30}>
          {(p) => (
            <>
              <Link href={`/entender/produtos/${p.id}`}>{p.name}</Link>
              <span className="muted">{p.category.name}</span>
            </>
          )}
        </ProductList>
      </section>
    </Understand>
  );
}

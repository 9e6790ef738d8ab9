import { useQuery } from 'urql';
import { InvoiceFilesDocument } from '../graphql/generated/graphql';
import { count, formatDecimal, formatMoment } from '../ui/format';
import { providerName } from '../ui/providers';
import type { FullInvoice } from './InvoicePage';
import css from './Watch.module.css';
import { PAYMENT, SOURCE } from './words';

/** What was read: the lines, the amounts, how it was paid, and where that comes from. */
export function Purchase({ invoice }: { invoice: FullInvoice }) {
  const { items, totals, payments, source, issuedAt, confidence } = invoice;
  const reader = invoice.attempts.at(-1)?.provider;
  return (
    <>
      <section className="card stack" aria-labelledby="totals">
        <h2 id="totals">Resumo</h2>
        <dl className={css['facts']}>
          {issuedAt != null && <Fact label="Compra">{formatMoment(issuedAt)}</Fact>}
          {totals.due && (
            <Fact label="Total">
              <strong className="amount">{totals.due.formatted}</strong>
            </Fact>
          )}
          {totals.discount.centavos !== 0 && <Fact label="Descontos">{totals.discount.formatted}</Fact>}
          {payments.map((p, i) => (
            <Fact key={i} label={PAYMENT[p.method]}>
              {p.amount.formatted}
            </Fact>
          ))}
          {source != null && (
            <Fact label="Origem">
              {SOURCE[source]}
              {reader !== undefined && ` (${providerName(reader)})`}
            </Fact>
          )}
          {confidence != null && <Fact label="Confiança">{Math.round(confidence * 100)}%</Fact>}
        </dl>
      </section>
      <section className="card" aria-labelledby="items">
        <h2 id="items">{count(items.length, 'item', 'itens')}</h2>
        <ul className={css['items']}>
          {items.map((it) => (
            <li key={it.id}>
              <span>{it.description}</span>
              <span className="amount">{it.total.formatted}</span>
              <span className={`muted ${css['detail'] ?? ''}`}>
                {formatDecimal(it.quantity)} {it.unit ?? ''} × R$ {formatDecimal(it.unitPrice)}
                {it.discount.centavos !== 0 && ` · desconto ${it.discount.formatted}`}
                {it.uncertain && <span className="warn"> · confira</span>}
              </span>
            </li>
          ))}
        </ul>
      </section>
      <Files invoiceId={invoice.id} />
    </>
  );
}

function Fact({ label, children }: { label: string; children: React.ReactNode }) {
  return (
    <>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </>
  );
}

function Files({ invoiceId }: { invoiceId: string }) {
  const [{ data }] = useQuery({
    query: InvoiceFilesDocument,
    variables: { id: invoiceId },
    requestPolicy: 'network-only',
  });
  // A file without an address is not kept any more.
  const files = (data?.invoice?.files ?? []).flatMap((f) => (f.url == null ? [] : [{ ...f, url: f.url }]));
  if (files.length === 0) return null;
  return (
    <section className="card stack" aria-labelledby="files">
      <h2 id="files">Arquivos</h2>
      <ul className={css['files']}>
        {files.map((f) => (
          <li key={f.id}>
            <a href={f.url} target="_blank" rel="noreferrer">
              {f.kind === 'PDF' || f.kind === 'XML' ? (
                `Baixar ${f.kind}`
              ) : (
                <img src={f.url} alt={`Foto ${f.position + 1} da nota, abrir em tamanho maior`} loading="lazy" />
              )}
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}

import type { PaymentMethod } from '../graphql/generated/graphql';
import { Field } from '../ui/Field';
import { PAYMENT } from '../watch/words';
import { type Check, FailedChecks } from './Checks';
import { paymentPlace, type Place } from './correction';
import type { PaymentDraft } from './draft';
import css from './Review.module.css';

interface Props {
  payments: PaymentDraft[];
  errors: ReadonlyMap<Place, string>;
  checks: Check[];
  onChange: (payments: PaymentDraft[]) => void;
}

/** How the purchase was paid. */
export function Payments({ payments, errors, checks, onChange }: Props) {
  const set = (at: number, change: Partial<PaymentDraft>) =>
    onChange(payments.map((p, i) => (i === at ? { ...p, ...change } : p)));
  return (
    <section className="card stack" aria-labelledby="payments">
      <h2 id="payments">Pagamentos</h2>
      <FailedChecks checks={checks} at="payments" />
      {payments.map((p, i) => (
        <div key={i} className={css['payment']}>
          <div>
            <label htmlFor={`method-${i}`}>Forma de pagamento {i + 1}</label>
            <select
              id={`method-${i}`}
              value={p.method}
              onChange={(event) => set(i, { method: event.target.value as PaymentMethod })}
            >
              {Object.entries(PAYMENT).map(([method, name]) => (
                <option key={method} value={method}>
                  {name}
                </option>
              ))}
            </select>
          </div>
          <Field
            label={`Valor ${i + 1} (R$)`}
            inputMode="decimal"
            autoComplete="off"
            value={p.amount}
            onChange={(event) => set(i, { amount: event.target.value })}
            error={errors.get(paymentPlace(i))}
          />
          <button
            type="button"
            className="button danger"
            onClick={() => onChange(payments.toSpliced(i, 1))}
            aria-label={`Remover pagamento ${i + 1}`}
          >
            Remover
          </button>
        </div>
      ))}
      <div className="row">
        <button type="button" className="button" onClick={() => onChange([...payments, { method: 'PIX', amount: '' }])}>
          Adicionar pagamento
        </button>
      </div>
    </section>
  );
}

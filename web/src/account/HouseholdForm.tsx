import { useState, type SyntheticEvent } from 'react';
import { useMutation } from 'urql';
import { explain } from '../app/errors';
import { notify } from '../app/noticeStore';
import { type ProfileFragment, UpdateProfileDocument } from '../graphql/generated/graphql';
import { Failure } from '../ui/Feedback';
import { Field } from '../ui/Field';
import { formatDecimal, parseAmount } from '../ui/format';
import { text } from './form';

/** Whom the person buys for. */
export function HouseholdForm({ household }: { household: ProfileFragment['household'] }) {
  const [{ fetching, error }, update] = useMutation(UpdateProfileDocument);
  const [wrongIncome, setWrongIncome] = useState(false);
  const { income, adults, children } = household;
  const typed = income ? formatDecimal((income.centavos / 100).toFixed(2)) : '';

  async function submit(event: SyntheticEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const said = text(form, 'income').trim();
    const amount = said === '' ? null : parseAmount(said);
    setWrongIncome(amount === undefined);
    if (amount === undefined) return;
    const result = await update({
      input: { income: amount, adults: Number(text(form, 'adults')), children: Number(text(form, 'children')) },
    });
    if (!result.error) notify('Família atualizada.');
  }

  return (
    <form className="card stack" onSubmit={submit} aria-labelledby="household">
      <h2 id="household">Família</h2>
      {error && <Failure>{explain(error)}</Failure>}
      <Field
        label="Renda da família por mês (R$)"
        name="income"
        inputMode="decimal"
        autoComplete="off"
        defaultValue={typed}
        hint="Opcional. Serve para comparar com o que vai para o mercado; ninguém mais vê."
        error={wrongIncome ? 'Escreva um valor como 5.123,45.' : undefined}
      />
      <Field label="Adultos" name="adults" type="number" min={1} max={20} required defaultValue={adults} />
      <Field label="Crianças" name="children" type="number" min={0} max={20} required defaultValue={children} />
      <div className="row">
        <button type="submit" className="button primary" disabled={fetching}>
          Salvar família
        </button>
      </div>
    </form>
  );
}

import { useState, type SyntheticEvent } from 'react';
import { useMutation } from 'urql';
import { explain } from '../app/errors';
import { notify } from '../app/noticeStore';
import { session } from '../app/session';
import { submissions } from '../capture/submissions';
import { DeleteMyAccountDocument } from '../graphql/generated/graphql';
import { Failure } from '../ui/Feedback';
import { Field } from '../ui/Field';
import { text } from './form';

/** The end of the account, confirmed with its password. */
export function DeleteAccount() {
  const [{ fetching, error }, remove] = useMutation(DeleteMyAccountDocument);
  const [open, setOpen] = useState(false);

  async function submit(event: SyntheticEvent<HTMLFormElement>) {
    event.preventDefault();
    const result = await remove({ input: { password: text(new FormData(event.currentTarget), 'password') } });
    if (result.error) return;
    for (const entry of submissions.snapshot()) await submissions.remove(entry.idempotencyKey);
    await session.end();
    notify('Conta apagada. Obrigado por ter usado o Mercado Esperto.');
  }

  return (
    <section className="card stack" aria-labelledby="delete">
      <h2 id="delete">Apagar a conta</h2>
      <p>Apaga na hora, e para sempre, a conta, as compras e os arquivos.</p>
      {open ? (
        <form className="stack" onSubmit={submit}>
          {error && <Failure>{explain(error)}</Failure>}
          <Field
            label="Confirme com a sua senha"
            name="password"
            type="password"
            autoComplete="current-password"
            required
          />
          <div className="row">
            <button type="button" className="button" onClick={() => setOpen(false)}>
              Voltar
            </button>
            <button type="submit" className="button danger" disabled={fetching}>
              Apagar para sempre
            </button>
          </div>
        </form>
      ) : (
        <div className="row">
          <button type="button" className="button danger" onClick={() => setOpen(true)}>
            Apagar a conta
          </button>
        </div>
      )}
    </section>
  );
}

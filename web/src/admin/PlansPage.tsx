import { useState, type SyntheticEvent } from 'react';
import { useClient, useMutation } from 'urql';
import { ask } from '../app/ask';
import { explain } from '../app/errors';
import { notify } from '../app/noticeStore';
import { type AccountFragment, SetUserPlanDocument, UserByEmailDocument } from '../graphql/generated/graphql';
import { Failure } from '../ui/Feedback';
import { Field } from '../ui/Field';
import { formatDate } from '../ui/format';
import { Admin } from './Admin';

/** Looks an account up, and changes what it pays for. */
export default function PlansPage() {
  const client = useClient();
  const [{ fetching }, setPlan] = useMutation(SetUserPlanDocument);
  const [found, setFound] = useState<AccountFragment | null>();
  const [failure, setFailure] = useState<string>();

  async function search(event: SyntheticEvent<HTMLFormElement>) {
    event.preventDefault();
    const email = new FormData(event.currentTarget).get('email');
    setFailure(undefined);
    setFound(undefined);
    if (typeof email !== 'string' || email.trim() === '') return;
    const reply = await ask(client, UserByEmailDocument, { email: email.trim() });
    if (reply.error) setFailure(explain(reply.error));
    else setFound(reply.data?.userByEmail ?? null);
  }

  async function change(user: AccountFragment) {
    setFailure(undefined);
    const plan = user.plan === 'PREMIUM' ? 'FREE' : 'PREMIUM';
    const { data, error } = await setPlan({ input: { email: user.email, plan } });
    if (error) {
      setFailure(explain(error));
      return;
    }
    if (data === undefined) return;
    setFound(data.setUserPlan.user);
    notify('Plano alterado.');
  }

  return (
    <Admin title="Planos">
      <form className="card stack" onSubmit={search} aria-label="Procurar conta">
        <Field label="E-mail da conta" name="email" type="email" required autoComplete="off" />
        <div className="row">
          <button type="submit" className="button">
            Procurar
          </button>
        </div>
      </form>
      {failure !== undefined && <Failure>{failure}</Failure>}
      <div role="status">
        {found === null && <p className="card">Nenhuma conta com este e-mail.</p>}
        {found && (
          <section className="card stack" aria-label="Conta encontrada">
            <p>
              <strong>{found.name}</strong>
              <br />
              {found.email}
            </p>
            <p>
              Plano {found.plan === 'PREMIUM' ? 'premium' : 'gratuito'} · desde {formatDate(found.createdAt)}
              {found.role === 'ADMIN' && ' · admin'}
            </p>
            <div className="row">
              <button type="button" className="button primary" disabled={fetching} onClick={() => void change(found)}>
                {found.plan === 'PREMIUM' ? 'Passar para o gratuito' : 'Passar para o premium'}
              </button>
            </div>
          </section>
        )}
      </div>
    </Admin>
  );
}

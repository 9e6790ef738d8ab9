import { type SyntheticEvent } from 'react';
import { useMutation } from 'urql';
import { Link } from 'wouter';
import { explain, serviceError } from '../app/errors';
import { session } from '../app/session';
import { toTokens } from '../app/tokens';
import { SignUpDocument } from '../graphql/generated/graphql';
import { Failure } from '../ui/Feedback';
import { Field } from '../ui/Field';
import { Page } from '../ui/Page';
import { text } from './form';

export default function SignUpPage() {
  const [{ fetching, error }, signUp] = useMutation(SignUpDocument);
  const blamed = error && serviceError(error)?.field;
  const errorOf = (field: string) => (error && blamed === field ? explain(error) : undefined);

  async function submit(event: SyntheticEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const { data } = await signUp({
      input: { name: text(form, 'name'), email: text(form, 'email'), password: text(form, 'password') },
    });
    if (data) await session.begin(toTokens(data.signUp));
  }

  const shownAtField = ['name', 'email', 'password'].includes(blamed ?? '');
  return (
    <Page title="Criar conta">
      <form className="stack" onSubmit={submit}>
        {error && !shownAtField && <Failure>{explain(error)}</Failure>}
        <Field label="Como quer ser chamado" name="name" autoComplete="name" required error={errorOf('name')} />
        <Field label="E-mail" name="email" type="email" autoComplete="username" required error={errorOf('email')} />
        <Field
          label="Senha"
          name="password"
          type="password"
          autoComplete="new-password"
          minLength={8}
          required
          hint="Pelo menos 8 caracteres."
          error={errorOf('password')}
        />
        <button type="submit" className="button primary" disabled={fetching}>
          {fetching ? 'Criando…' : 'Criar conta'}
        </button>
      </form>
      <p>
        Já tem conta? <Link href="/entrar">Entrar</Link>
      </p>
    </Page>
  );
}

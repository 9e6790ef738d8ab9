import { useState, type SyntheticEvent } from 'react';
import { useMutation } from 'urql';
import { Link } from 'wouter';
import { explain } from '../app/errors';
import { session } from '../app/session';
import { toTokens } from '../app/tokens';
import { SignInDocument } from '../graphql/generated/graphql';
import { Failure } from '../ui/Feedback';
import { Field } from '../ui/Field';
import { Page } from '../ui/Page';
import { text } from './form';

export default function SignInPage() {
  const [{ fetching }, signIn] = useMutation(SignInDocument);
  const [failure, setFailure] = useState<string>();

  async function submit(event: SyntheticEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const { data, error } = await signIn({ input: { email: text(form, 'email'), password: text(form, 'password') } });
    if (error) setFailure(explain(error));
    else if (data) await session.begin(toTokens(data.signIn));
  }

  return (
    <Page title="Entrar">
      <form className="stack" onSubmit={submit}>
        {failure !== undefined && <Failure>{failure}</Failure>}
        <Field label="E-mail" name="email" type="email" autoComplete="username" required />
        <Field label="Senha" name="password" type="password" autoComplete="current-password" required />
        <button type="submit" className="button primary" disabled={fetching}>
          {fetching ? 'Entrando…' : 'Entrar'}
        </button>
      </form>
      <p>
        Ainda não tem conta? <Link href="/criar-conta">Criar conta</Link>
      </p>
    </Page>
  );
}

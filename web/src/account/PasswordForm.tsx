import { type SyntheticEvent } from 'react';
import { useMutation } from 'urql';
import { explain, serviceError } from '../app/errors';
import { notify } from '../app/noticeStore';
import { ChangePasswordDocument } from '../graphql/generated/graphql';
import { Failure } from '../ui/Feedback';
import { Field } from '../ui/Field';
import { text } from './form';

export function PasswordForm() {
  const [{ fetching, error }, change] = useMutation(ChangePasswordDocument);
  const blamed = error && serviceError(error)?.field;
  const errorOf = (field: string) => (error && blamed === field ? explain(error) : undefined);

  async function submit(event: SyntheticEvent<HTMLFormElement>) {
    event.preventDefault();
    const element = event.currentTarget;
    const form = new FormData(element);
    const result = await change({
      input: { currentPassword: text(form, 'currentPassword'), newPassword: text(form, 'newPassword') },
    });
    if (result.error) return;
    element.reset();
    notify('Senha trocada. Os outros aparelhos foram desconectados.');
  }

  return (
    <form className="card stack" onSubmit={submit} aria-labelledby="password">
      <h2 id="password">Trocar a senha</h2>
      {error && blamed !== 'currentPassword' && blamed !== 'newPassword' && <Failure>{explain(error)}</Failure>}
      <Field
        label="Senha atual"
        name="currentPassword"
        type="password"
        autoComplete="current-password"
        required
        error={errorOf('currentPassword')}
      />
      <Field
        label="Senha nova"
        name="newPassword"
        type="password"
        autoComplete="new-password"
        minLength={8}
        maxLength={128}
        required
        hint="De 8 a 128 caracteres."
        error={errorOf('newPassword')}
      />
      <div className="row">
        <button type="submit" className="button primary" disabled={fetching}>
          Trocar a senha
        </button>
      </div>
    </form>
  );
}

import { useState } from 'react';
import { useMutation } from 'urql';
import { explain } from '../app/errors';
import { notify } from '../app/noticeStore';
import { type ProfileFragment, UpdateProfileDocument } from '../graphql/generated/graphql';
import { formatDate } from '../ui/format';
import { providers } from '../ui/providers';

/** Which companies abroad may see the person's documents: none unless they say so, one by one (LGPD, arts. 8 and 33). */
export function Consents({ consents }: { consents: ProfileFragment['consents'] }) {
  const [, update] = useMutation(UpdateProfileDocument);
  // What was just clicked is shown at once; what the service says takes its place.
  const [pending, setPending] = useState<Record<string, boolean>>({});
  const given = new Map(consents.map((c) => [c.provider, c.grantedAt]));

  async function set(provider: string, granted: boolean) {
    setPending((before) => ({ ...before, [provider]: granted }));
    const { error } = await update({ input: { consents: [{ provider, granted }] } });
    setPending({});
    notify(error ? explain(error) : granted ? 'Permissão dada.' : 'Permissão retirada.');
  }

  return (
    <section className="card stack" aria-labelledby="consents">
      <h2 id="consents">Quem pode ler as suas notas</h2>
      <p>
        Empresas de fora do Brasil leem fotos com mais acerto. Só mandamos as suas notas para as que você marcar aqui. A
        nota pode mostrar o seu CPF, a loja e o que você comprou.
      </p>
      <p>Você pode mudar de ideia quando quiser. Sem marcar nenhuma, a leitura acontece só aqui, e pode errar mais.</p>
      <fieldset className="stack">
        <legend className="hidden">Empresas</legend>
        {Object.entries(providers).map(
          ([key, { name, abroad }]) =>
            abroad !== undefined && (
              <label key={key} className="row">
                <input
                  type="checkbox"
                  checked={pending[key] ?? given.has(key)}
                  onChange={(e) => void set(key, e.target.checked)}
                />
                <span>
                  {name} <span className="muted">({abroad})</span>
                  {given.has(key) && <span className="muted"> · desde {formatDate(given.get(key) ?? '')}</span>}
                </span>
              </label>
            ),
        )}
      </fieldset>
    </section>
  );
}

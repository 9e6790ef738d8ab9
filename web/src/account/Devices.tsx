import { useState } from 'react';
import { useMutation, useQuery } from 'urql';
import { explain } from '../app/errors';
import { notify } from '../app/noticeStore';
import { submissions } from '../capture/submissions';
import { session } from '../app/session';
import { DevicesDocument, SignOutDeviceDocument, SignOutDocument } from '../graphql/generated/graphql';
import { Confirm } from '../ui/Confirm';
import { Failure, Loading } from '../ui/Feedback';
import { formatMoment } from '../ui/format';

/** The devices that are signed in, and the way out of each. */
export function Devices() {
  const [{ data, error, fetching }, again] = useQuery({ query: DevicesDocument, requestPolicy: 'cache-and-network' });
  const [, signOutDevice] = useMutation(SignOutDeviceDocument);

  async function end(signInId: string) {
    const result = await signOutDevice({ input: { signInId } });
    notify(result.error ? explain(result.error) : 'Aparelho desconectado.');
    again({ requestPolicy: 'network-only' });
  }

  return (
    <section className="card stack" aria-labelledby="devices">
      <h2 id="devices">Aparelhos conectados</h2>
      {error && <Failure>{explain(error)}</Failure>}
      {!data && fetching && <Loading />}
      <ul className="stack">
        {data?.signIns.map((s) => (
          <li key={s.id} className="row">
            <span>
              {s.device ?? 'Aparelho desconhecido'}
              {s.current && <strong> (este)</strong>}
              <br />
              <span className="muted">Último uso: {formatMoment(s.lastUsedAt)}</span>
            </span>
            {!s.current && (
              <button type="button" className="button" onClick={() => void end(s.id)}>
                Desconectar <span className="hidden">{s.device ?? 'aparelho desconhecido'}</span>
              </button>
            )}
          </li>
        ))}
      </ul>
      <SignOut />
    </section>
  );
}

function SignOut() {
  const [{ fetching }, signOut] = useMutation(SignOutDocument);
  const [asking, setAsking] = useState(false);

  async function leave() {
    // Without a network the session ends here, and at the service when it expires.
    await signOut({});
    await session.end();
  }

  const start = () => {
    if (submissions.snapshot().some((e) => e.state !== 'sent')) setAsking(true);
    else void leave();
  };

  return (
    <div className="row">
      <button type="button" className="button" disabled={fetching} onClick={start}>
        Sair
      </button>
      {asking && (
        <Confirm
          title="Há notas por enviar"
          action="Sair"
          onConfirm={() => void leave()}
          onClose={() => setAsking(false)}
        >
          Elas ficam guardadas neste aparelho e seguem quando você entrar de novo.
        </Confirm>
      )}
    </div>
  );
}

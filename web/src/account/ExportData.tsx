import { useMutation } from 'urql';
import { explain } from '../app/errors';
import { ExportMyDataDocument } from '../graphql/generated/graphql';
import { Failure } from '../ui/Feedback';
import { formatMoment } from '../ui/format';

/** Everything that is kept of the person, as a file. */
export function ExportData() {
  const [{ data, error, fetching }, prepare] = useMutation(ExportMyDataDocument);
  return (
    <section className="card stack" aria-labelledby="export">
      <h2 id="export">Seus dados</h2>
      <p>Um arquivo ZIP com tudo o que guardamos de você: dados, compras e as notas que enviou.</p>
      {error && <Failure>{explain(error)}</Failure>}
      <div className="row" role="status">
        {data ? (
          <p>
            <a href={data.exportMyData.url} download>
              Baixar o arquivo
            </a>{' '}
            <span className="muted">(vale até {formatMoment(data.exportMyData.expiresAt)})</span>
          </p>
        ) : (
          <button type="button" className="button" disabled={fetching} onClick={() => void prepare({})}>
            {fetching ? 'Preparando…' : 'Exportar meus dados'}
          </button>
        )}
      </div>
    </section>
  );
}

import { useQuery } from 'urql';
import { explain } from '../app/errors';
import { NotFound } from '../app/NotFound';
import { ReviewDocument } from '../graphql/generated/graphql';
import { Failure, Loading } from '../ui/Feedback';
import { Page } from '../ui/Page';
import { Link } from 'wouter';
import { Editor } from './Editor';
import css from './Review.module.css';

/** An invoice beside its photo, to be corrected. */
export default function ReviewPage({ id }: { id: string }) {
  const [{ data, error, fetching }, again] = useQuery({
    query: ReviewDocument,
    variables: { id },
    requestPolicy: 'network-only',
  });
  const invoice = data?.invoice;
  if (invoice == null) {
    if (fetching) return <Loading />;
    return error ? <Failure>{explain(error)}</Failure> : <NotFound />;
  }
  if (invoice.status !== 'NEEDS_REVIEW' && invoice.status !== 'COMPLETED') {
    return (
      <Page title="Conferir nota">
        <p className="card">
          Esta nota ainda não pode ser conferida. <Link href={`/notas/${id}`}>Ver como ela está</Link>
        </p>
      </Page>
    );
  }
  return (
    <Page
      title={`Conferir: ${invoice.issuer.name ?? 'nota'}`}
      actions={<Link href={`/notas/${id}`}>Voltar à nota</Link>}
    >
      <div className={css['wide']}>
        <Editor key={id} invoice={invoice} reloadPhotos={() => again({ requestPolicy: 'network-only' })} />
      </div>
    </Page>
  );
}

import { useQuery } from 'urql';
import { explain } from '../app/errors';
import { ViewerDocument } from '../graphql/generated/graphql';
import { Failure, Loading } from '../ui/Feedback';
import { formatDate } from '../ui/format';
import { Page } from '../ui/Page';
import { Consents } from './Consents';
import { DeleteAccount } from './DeleteAccount';
import { Devices } from './Devices';
import { ExportData } from './ExportData';
import { HouseholdForm } from './HouseholdForm';
import { PasswordForm } from './PasswordForm';
import { ThemeChoice } from './ThemeChoice';

export default function AccountPage() {
  const [{ data, error, fetching }] = useQuery({ query: ViewerDocument, requestPolicy: 'cache-and-network' });
  const viewer = data?.viewer;
  if (viewer == null) {
    if (fetching) return <Loading />;
    return <Failure>{error ? explain(error) : 'Entre de novo para ver a sua conta.'}</Failure>;
  }
  return (
    <Page title="Conta">
      <section className="card" aria-label="Você">
        <p>
          <strong>{viewer.name}</strong>
        </p>
        <p>{viewer.email}</p>
        <p className="muted">
          Plano {viewer.plan === 'PREMIUM' ? 'premium' : 'gratuito'} · desde {formatDate(viewer.createdAt)}
        </p>
      </section>
      <HouseholdForm household={viewer.household} />
      <Consents consents={viewer.consents} />
      <ThemeChoice />
      <Devices />
      <PasswordForm />
      <ExportData />
      <DeleteAccount />
    </Page>
  );
}

import { Link } from 'wouter';
import { Page } from '../ui/Page';

export function NotFound() {
  return (
    <Page title="Página não encontrada">
      <p>
        O endereço não leva a lugar nenhum. <Link href="/">Voltar para as notas</Link>
      </p>
    </Page>
  );
}

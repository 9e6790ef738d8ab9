import { accessible } from './fixtures';
import { expect, type Page, signIn, test } from './household';

const PAGES: [string, string][] = [
  ['/entender', 'Avisos'],
  ['/entender/gastos', 'Gastos'],
  ['/entender/produtos', 'Produtos'],
  ['/entender/cesta', 'Cesta'],
  ['/entender/exportar', 'Exportar compras'],
  ['/admin', 'Uso e custo'],
  ['/admin/provedores', 'Provedores'],
  ['/admin/planos', 'Planos'],
  ['/admin/registro', 'Registro'],
];

test('every page is accessible and fits the screen', { tag: '@desktop' }, async ({ page, home }, { project }) => {
  // Colours do not depend on the size of the screen: each size has one scheme.
  await page.emulateMedia({ colorScheme: project.name === 'phone' ? 'light' : 'dark' });
  await signIn(page, home);
  for (const [path, title] of PAGES) {
    await page.goto(path);
    await page.getByRole('heading', { name: title, level: 1 }).waitFor();
    await expect(page.getByText(/^(Carregando|Desenhando)…$/)).toHaveCount(0);
    await good(page);
  }
});

async function good(page: Page): Promise<void> {
  await accessible(page);
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  expect(overflow, 'scrolls sideways').toBe(0);
}

test('insights are listed with their proof, and marked', async ({ page, home }) => {
  await signIn(page, home);
  await page.getByRole('link', { name: 'Entender' }).click();
  const first = page.getByRole('article').last();
  await first.getByText('Ver os números').click();
  await expect(first.getByRole('definition').first()).toBeVisible();
  await first.getByRole('button', { name: 'Feito' }).click();
  await expect(first.getByRole('button', { name: 'Feito' })).toHaveAttribute('aria-pressed', 'true');
  await first.getByRole('button', { name: 'Feito' }).click();
  await expect(first.getByRole('button', { name: 'Feito' })).toHaveAttribute('aria-pressed', 'false');
  await first.getByRole('button', { name: 'Dispensar' }).click();
  await expect(first.getByRole('button', { name: 'Dispensar' })).toHaveAttribute('aria-pressed', 'true');
  await page.getByLabel('Ver dispensados').check();
  await expect(page.getByRole('article')).toHaveCount(1);
  await first.getByRole('button', { name: 'Dispensar' }).click();
  await expect(first.getByRole('button', { name: 'Dispensar' })).toHaveAttribute('aria-pressed', 'false');
  await page
    .getByRole('button', { name: /^Analisar a compra/ })
    .first()
    .click();
  await expect(page.getByText('Já foi analisada, e os itens não mudaram desde então.').first()).toBeVisible();
});

test('spending is a drawing or a table, by any division', async ({ page, home }) => {
  await signIn(page, home);
  await page.goto('/entender/gastos?periodo=2020-01-01_2024-12-30');
  await expect(page.getByText('Nenhuma compra neste período.')).toBeVisible();
  await page.goto('/entender/gastos');
  await page.getByRole('button', { name: 'Doze meses' }).click();
  await expect(page.getByRole('img', { name: /^Gráfico/ })).toBeVisible();
  await page.getByRole('button', { name: 'Ver como tabela' }).click();
  await expect(page.getByRole('img', { name: /^Gráfico/ })).toHaveCount(0);
  await expect(page.getByRole('table', { name: 'Gastos por categoria' })).toBeVisible();
  await page.getByRole('button', { name: 'Loja', exact: true }).click();
  await expect(page.getByRole('heading', { name: 'Gastos por loja' })).toBeVisible();
  await expect(page).toHaveURL(/por=loja/);
});

test('a product is found, its prices shown, and a basket compared', async ({ page, home }) => {
  await signIn(page, home);
  await page.goto('/entender/produtos');
  const product = page.locator('a[href^="/entender/produtos/"]').last();
  const name = (await product.textContent()) ?? '';
  await page.getByLabel('Buscar produto').fill(name.toUpperCase());
  await page.getByRole('link', { name, exact: true }).click();
  await expect(page.getByRole('heading', { name, level: 1 })).toBeVisible();
  await expect(page.getByRole('table')).toContainText('mais barato');
  await accessible(page);
  await page.goto('/entender/cesta');
  const offered = page.getByRole('button', { name: /^Pôr na cesta/ });
  await expect(offered).toHaveCount(10);
  await page.getByRole('button', { name: 'Mostrar mais' }).click();
  await expect.poll(() => offered.count()).toBeGreaterThan(10);
  await page
    .getByRole('button', { name: /^Pôr na cesta/ })
    .first()
    .click();
  await page.getByLabel(/^Quantidade de/).fill('2,5');
  await page.getByRole('button', { name: 'Comparar lojas' }).click();
  await expect(page.getByText('cesta completa')).toBeVisible();
  await accessible(page);
});

test('purchases are exported', async ({ page, home }) => {
  await signIn(page, home);
  await page.goto('/entender/exportar');
  const downloading = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Baixar arquivo' }).click();
  expect((await downloading).suggestedFilename()).toMatch(/\.csv$/);
  await expect(page.getByText(/linhas exportadas/)).toBeVisible();
});

test('an admin changes a plan, and it is in the log', async ({ page, home }) => {
  await signIn(page, home);
  await page.getByRole('link', { name: 'Admin' }).click();
  await page.getByRole('link', { name: 'Planos' }).click();
  await page.getByLabel('E-mail da conta').fill('ninguem@example.com');
  await page.getByRole('button', { name: 'Procurar' }).click();
  await expect(page.getByText('Nenhuma conta com este e-mail.')).toBeVisible();
  await page.getByLabel('E-mail da conta').fill(home.email);
  await page.getByRole('button', { name: 'Procurar' }).click();
  await page.getByRole('button', { name: 'Passar para o gratuito' }).click();
  await page.getByRole('button', { name: 'Passar para o premium' }).click();
  await expect(page.getByRole('button', { name: 'Passar para o gratuito' })).toBeVisible();
  await page.getByRole('link', { name: 'Registro' }).click();
  await expect(page.getByText('Mudou um plano').first()).toBeVisible();
});

test('an admin steers the providers and loads them anew', async ({ page, home }) => {
  await signIn(page, home);
  await page.goto('/admin/provedores');
  const gemini = page.getByRole('region', { name: 'gemini' });
  await expect(gemini).toContainText('Ligado');
  await gemini.getByRole('button', { name: 'Desligar' }).click();
  await expect(gemini).toContainText('Desligado');
  await accessible(page);
  await gemini.getByRole('button', { name: 'Ligar' }).click();
  await expect(gemini).toContainText('Ligado');
  await gemini.getByRole('button', { name: 'Descer' }).click();
  await expect(gemini.getByRole('heading')).toHaveText('2. gemini');
  await gemini.getByRole('button', { name: 'Subir' }).click();
  await expect(gemini.getByRole('heading')).toHaveText('1. gemini');
  await page.getByRole('button', { name: 'Recarregar plugins' }).click();
  const report = page.getByRole('region', { name: 'Plugins recarregados' });
  await expect(report).toContainText(/offline: (igual|trocado)/);
  await accessible(page);
  await page.getByRole('link', { name: 'Registro' }).click();
  await expect(page.getByText('Mudou um provedor').first()).toBeVisible();
});

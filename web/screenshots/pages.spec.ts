import { execFile } from 'node:child_process';
import { mkdir, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { type Page } from '@playwright/test';
import { expect, PASSWORD, sample, test } from '../e2e/fixtures';
import { ask, promote, signIn, submit } from '../e2e/household';

const FOLDER = '../docs/images';
const MOST_BYTES = 200_000;
const EMAIL = 'familia@example.com';
const WIDE = { width: 1280, height: 800 };
const PHONE = { width: 360, height: 740 };

test('pictures of each page', async ({ page }) => {
  await mkdir(FOLDER, { recursive: true });
  const token = await family();
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
  await signIn(page, { email: EMAIL });
  await page.getByText('6 notas').waitFor();
  await shoot(page, 'invoices', 'wide', 'phone');

  await page.goto('/adicionar');
  await page.getByLabel('Arquivos', { exact: true }).setInputFiles([sample('compra-07.jpg')]);
  await page.getByRole('img', { name: 'Foto 1' }).waitFor();
  await shoot(page, 'capture', 'phone');
  await page.getByRole('button', { name: 'Enviar 1 nota' }).click();
  await page.getByText('Quem lê').waitFor();
  await shoot(page, 'watch', 'phone');
  await page.getByText(/^(Completa|Para revisar)$/).waitFor();
  await expect(page.getByRole('heading', { name: 'Análise em andamento' })).toHaveCount(0);
  await shoot(page, 'invoice', 'phone');

  await page.getByRole('link', { name: /^(Corrigir|Conferir) nota$/ }).click();
  await page.getByLabel('Total da linha 1', { exact: true }).fill('99,99');
  await page.getByRole('button', { name: 'Salvar correção' }).click();
  await page.getByText(/^Nota salva/).waitFor();
  await page.getByRole('button', { name: 'Fechar aviso' }).click();
  await page.evaluate(() => scrollTo(0, 0));
  await expect
    .poll(() => page.getByRole('img', { name: 'A nota enviada' }).evaluate((i: HTMLImageElement) => i.naturalWidth))
    .toBeGreaterThan(0);
  await shoot(page, 'review', 'wide', 'phone');

  await page.goto('/entender');
  await page.getByRole('article').first().waitFor();
  await page.getByRole('article').first().getByText('Ver os números').click();
  await shoot(page, 'insights', 'wide', 'phone', 'dark');
  await page.goto('/entender/gastos?periodo=12-meses');
  await page.getByRole('img', { name: /^Gráfico/ }).waitFor();
  await shoot(page, 'spending', 'wide', 'phone');
  await page.goto(`/entender/produtos/${await favourite(token)}`);
  await page.getByRole('img', { name: /^Gráfico/ }).waitFor();
  await shoot(page, 'product', 'wide', 'phone');
  await page.goto('/conta');
  await page.getByText('(este)').waitFor();
  await shoot(page, 'account', 'phone');
  await page.goto('/admin/provedores');
  await page.getByRole('region', { name: 'offline' }).waitFor();
  await shoot(page, 'admin-providers', 'wide');
});

/** An account with all samples but the one whose reading is shown. */
async function family(): Promise<string> {
  const { signUp } = await ask<{ signUp: { session: { accessToken: string } } }>(
    `mutation ($input: SignUpInput!) { signUp(input: $input) { session { accessToken } } }`,
    { input: { email: EMAIL, password: PASSWORD, name: 'Família Souza' } },
  );
  const token = signUp.session.accessToken;
  await promote(EMAIL, '--premium', '--admin');
  const household = { income: '6500.00', adults: 2, children: 1 };
  await ask(
    `mutation ($input: UpdateProfileInput!) { updateProfile(input: $input) { viewer { id } } }`,
    { input: household },
    token,
  );
  const names = ['compra-01.xml', 'compra-02.xml', 'compra-03.pdf', 'compra-04.pdf', 'compra-05.png', 'compra-06.jpg'];
  for (const [i, name] of names.entries()) {
    await submit(token, name);
    // One after the other, so that each is compared with those before it.
    await expect.poll(() => settled(token)).toBe(i + 1);
  }
  return token;
}

async function settled(token: string): Promise<number> {
  const { invoices } = await ask<{ invoices: { nodes: { status: string; analysis: { status: string } | null }[] } }>(
    `{ invoices(first: 10) { nodes { status analysis { status } } } }`,
    {},
    token,
  );
  const busy = ['QUEUED', 'PROCESSING'];
  return invoices.nodes.filter((n) => !busy.includes(n.status) && n.analysis?.status !== 'QUEUED').length;
}

/** The product that was bought most often. */
async function favourite(token: string): Promise<string> {
  const { products } = await ask<{ products: { nodes: { id: string }[] } }>(
    `{ products(first: 100) { nodes { id } } }`,
    {},
    token,
  );
  let best = { id: '', times: 0 };
  for (const { id } of products.nodes) {
    const { priceHistory } = await ask<{ priceHistory: unknown[] }>(
      `query ($id: ID!) { priceHistory(productId: $id) { on } }`,
      { id },
      token,
    );
    if (priceHistory.length > best.times) best = { id, times: priceHistory.length };
  }
  return best.id;
}

/** Writes NAME-wide.png and the like. */
async function shoot(page: Page, name: string, ...kinds: ('wide' | 'phone' | 'dark')[]): Promise<void> {
  for (const kind of kinds) {
    await page.setViewportSize(kind === 'phone' ? PHONE : WIDE);
    await page.emulateMedia({ colorScheme: kind === 'dark' ? 'dark' : 'light' });
    // The focus goes to a page's heading, and what a chart was drawn for may have changed.
    await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
    const path = `${FOLDER}/${name}-${kind}.png`;
    await page.screenshot({ path, animations: 'disabled', scale: 'css' });
    await promisify(execFile)('convert', [path, '-strip', '+dither', '-colors', '128', `PNG8:${path}`]);
    expect((await stat(path)).size, path).toBeLessThan(MOST_BYTES);
  }
  await page.setViewportSize(WIDE);
  await page.emulateMedia({ colorScheme: 'light' });
}

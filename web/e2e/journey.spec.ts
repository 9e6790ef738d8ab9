import { accessible, expect, send, signUp, test } from './fixtures';
import { promote } from './household';

test('from sign-up by photo to insight, without a reload', { tag: '@desktop' }, async ({ page }) => {
  await promote(await signUp(page), '--premium');
  const reading = page.getByRole('heading', { name: 'Leitura em andamento' }).waitFor();
  await send(page, 'compra-06.jpg');
  await reading;
  await expect(page.getByText('Completa', { exact: true })).toBeVisible();
  const found = page.getByRole('region', { name: 'Avisos desta compra' }).getByRole('article');
  await expect(found.first()).toBeVisible();
  await expect(page.getByRole('heading', { name: 'Análise em andamento' })).toHaveCount(0);
  await accessible(page);
  const title = (await found.first().getByRole('heading').textContent()) ?? '';
  await page.getByRole('navigation').getByRole('link', { name: 'Entender' }).click();
  await expect(page.getByRole('article', { name: title })).toBeVisible();
});

test.describe('with the network cut', () => {
  test.use({ allowErrors: [/ERR_INTERNET_DISCONNECTED|ERR_FAILED|WebSocket/] });

  test('an upload that is cut off and a reading that is not watched lose nothing', async ({ page, context }) => {
    await promote(await signUp(page), '--premium');
    const cut = page.waitForEvent('requestfailed', (r) => r.method() === 'POST' && r.url().endsWith('/graphql'));
    await page.route('**/graphql', async (route) => {
      if (!(route.request().headers()['content-type'] ?? '').startsWith('multipart')) return route.continue();
      await context.setOffline(true);
      return route.abort('internetdisconnected');
    });
    await send(page, 'compra-06.jpg');
    await cut;
    await expect(page.getByText('Esperando a internet')).toBeVisible();
    await page.unrouteAll();
    const reading = page.getByRole('heading', { name: 'Leitura em andamento' }).waitFor();
    await context.setOffline(false);
    await reading;
    await context.setOffline(true);
    await expect(page.getByText('Sem internet.')).toBeVisible();
    await context.setOffline(false);
    await expect(page.getByText('Completa', { exact: true })).toBeVisible();
    await expect(page.getByRole('region', { name: 'Avisos desta compra' }).getByRole('article').first()).toBeVisible();
  });
});

test('two tabs show the same reading, and send a note once', async ({ page, context }) => {
  await signUp(page);
  const other = await context.newPage();
  await other.goto('/');
  await expect(other.getByText('Nenhuma nota ainda.')).toBeVisible();
  await send(page, 'compra-05.png');
  const card = other.getByRole('main').getByRole('listitem');
  await expect(card).toHaveCount(1);
  await expect(card).toContainText(/Completa|Para revisar/);
  await expect(page.getByRole('heading', { name: /^\d+ itens$/ })).toBeVisible();
});

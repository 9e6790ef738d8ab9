import { expect, send, signUp, test } from './fixtures';

test('a photo becomes a complete purchase, step by step', async ({ page }) => {
  await signUp(page);
  const reading = page.getByRole('heading', { name: 'Leitura em andamento' }).waitFor();
  await send(page, 'compra-06.jpg');
  await reading;
  await expect(page.getByText('Completa')).toBeVisible();
  await expect(page.getByRole('heading', { name: /^\d+ itens$/ })).toBeVisible();
  await page.getByRole('navigation').getByRole('link', { name: 'Notas' }).click();
  await expect(page.getByRole('listitem').filter({ hasText: 'Completa' })).toHaveCount(1);
});

test('photos can be put in order and left out', async ({ page }) => {
  await signUp(page);
  await page.getByRole('navigation').getByRole('link', { name: 'Adicionar' }).click();
  await page.getByLabel('Arquivos', { exact: true }).setInputFiles([
    { name: 'a.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-a') },
    { name: 'b.xml', mimeType: 'text/xml', buffer: Buffer.from('<b/>') },
    { name: 'c.txt', mimeType: 'text/plain', buffer: Buffer.from('c') },
  ]);
  await expect(page.getByRole('alert')).toContainText('c.txt: só lemos fotos, PDF e XML.');
  const list = page.getByRole('region', { name: '2 arquivos escolhidos' }).getByRole('listitem');
  await page.getByRole('button', { name: 'Mover o arquivo 1 para depois' }).click();
  await expect(list.first()).toContainText('b.xml');
  await page.getByRole('button', { name: 'Remover o arquivo 1' }).click();
  await expect(page.getByRole('button', { name: 'Enviar 1 nota' })).toBeVisible();
});

test('a purchase that is there already is offered, and added on request', async ({ page }) => {
  await signUp(page);
  await send(page, 'compra-01.xml');
  await expect(page.getByText('Completa')).toBeVisible();
  const first = page.url();
  await send(page, 'compra-01.xml');
  await expect(page.getByText('Esta compra já está nas suas notas.')).toBeVisible();
  await page.getByRole('link', { name: 'Ver a existente' }).click();
  await expect(page).toHaveURL(first);
  await send(page, 'compra-01.xml');
  await page.getByRole('button', { name: 'Adicionar mesmo assim' }).click();
  await page.getByRole('link', { name: 'Acompanhar a leitura' }).click();
  await expect(page.getByText('Completa')).toBeVisible();
  expect(page.url()).not.toBe(first);
});

test('an upload survives a reload', async ({ page }) => {
  await signUp(page);
  const isUpload = (headers: Record<string, string>) => headers['content-type']?.startsWith('multipart') === true;
  await page.route('**/graphql', (route) => (isUpload(route.request().headers()) ? undefined : route.continue()));
  // No PDF: the first one that a service gets has it compile its sandbox, which takes long on a busy machine.
  await send(page, 'compra-02.xml');
  await expect(page.getByText('Enviando…')).toBeVisible();
  await page.unrouteAll();
  await page.reload();
  await page.getByRole('link', { name: 'Acompanhar a leitura' }).click();
  await expect(page.getByText('Completa')).toBeVisible();
});

test.describe('without a network', () => {
  test.use({ allowErrors: [/ERR_INTERNET_DISCONNECTED|WebSocket/] });

  test('what is sent waits for it', async ({ page, context }) => {
    await signUp(page);
    await page.getByRole('navigation').getByRole('link', { name: 'Adicionar' }).click();
    await expect(page.getByRole('heading', { name: 'Adicionar nota' })).toBeVisible();
    await context.setOffline(true);
    await expect(page.getByText('Sem internet.')).toBeVisible();
    await send(page, 'compra-02.xml');
    await expect(page.getByText('Esperando a internet')).toBeVisible();
    await context.setOffline(false);
    await expect(page.getByText('Completa')).toBeVisible();
  });

  test('a reading that is followed goes on where it was', async ({ page, context }) => {
    await signUp(page);
    const reading = page.getByRole('heading', { name: 'Leitura em andamento' }).waitFor();
    await send(page, 'compra-07.jpg');
    await reading;
    await context.setOffline(true);
    await expect(page.getByText('Sem internet.')).toBeVisible();
    await context.setOffline(false);
    await expect(page.getByText(/^(Completa|Para revisar)$/)).toBeVisible();
    await expect(page.getByRole('heading', { name: /^\d+ itens$/ })).toBeVisible();
  });

  test('the app opens', async ({ page, context }) => {
    await signUp(page);
    await page.evaluate(() => navigator.serviceWorker.ready);
    await page.reload();
    await context.setOffline(true);
    await page.goto('/adicionar');
    await expect(page.getByRole('heading', { name: 'Adicionar nota' })).toBeVisible();
    await expect(page.getByText('Sem internet.')).toBeVisible();
  });
});

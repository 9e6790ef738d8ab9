import { accessible, expect, type Page, PASSWORD, send, signUp, someone, test } from './fixtures';

for (const colorScheme of ['light', 'dark'] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });

    test('every page is accessible and fits the screen', { tag: '@desktop' }, async ({ page }, { project }) => {
      // Colours do not depend on the size of the screen: each size has one scheme.
      test.skip((colorScheme === 'light') !== (project.name === 'phone'));
      await page.goto('/entrar');
      await page.getByRole('heading', { name: 'Entrar' }).waitFor();
      await good(page);
      await page.goto('/criar-conta');
      await page.getByRole('heading', { name: 'Criar conta' }).waitFor();
      await good(page);
      await signUp(page);
      await good(page);
      await send(page, 'compra-01.xml');
      await expect(page.getByText('Completa')).toBeVisible();
      await expect(page.getByRole('heading', { name: /^\d+ ite/ })).toBeVisible();
      await good(page);
      await send(page, 'compra-01.xml');
      await page.getByRole('button', { name: 'Adicionar mesmo assim' }).waitFor();
      await page.getByLabel('Arquivos', { exact: true }).setInputFiles('../internal/receipts/bundled/compra-05.png');
      await page.getByRole('img', { name: 'Foto 1' }).waitFor();
      await good(page);
      await page.getByRole('navigation').getByRole('link', { name: 'Conta' }).click();
      await page.getByText('(este)').waitFor();
      await good(page);
      await page.goto('/nada-aqui');
      await page.getByRole('heading', { name: 'Página não encontrada' }).waitFor();
      await good(page);
    });
  });
}

async function good(page: Page): Promise<void> {
  await accessible(page);
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  expect(overflow, 'scrolls sideways').toBe(0);
}

test('everything can be done with the keyboard', async ({ page }) => {
  const press = async (...keys: string[]) => {
    for (const key of keys) await page.keyboard.press(key);
  };
  await page.goto('/criar-conta');
  await page.getByRole('heading', { name: 'Criar conta' }).waitFor();
  await press('Tab');
  await expect(page.getByRole('link', { name: 'Pular para o conteúdo' })).toBeFocused();
  await press('Enter', 'Tab');
  await page.keyboard.type('Ana');
  await press('Tab');
  await page.keyboard.type(someone());
  await press('Tab');
  await page.keyboard.type(PASSWORD);
  await press('Enter');
  await expect(page.getByRole('heading', { name: 'Notas', level: 1 })).toBeFocused();
  await press('Tab', 'Enter');
  await expect(page.getByRole('heading', { name: 'Adicionar nota' })).toBeFocused();
  await press('Tab', 'Tab');
  const choosing = page.waitForEvent('filechooser');
  await press('Enter');
  await (await choosing).setFiles('../internal/receipts/bundled/compra-01.xml');
  const button = page.getByRole('button', { name: 'Enviar 1 nota' });
  await button.waitFor();
  for (let i = 0; i < 8 && !(await button.evaluate((b) => b === document.activeElement)); i++) await press('Tab');
  await press('Enter');
  await expect(page.getByText('Completa')).toBeVisible();
  const remove = page.getByRole('button', { name: 'Apagar nota' });
  for (let i = 0; i < 12 && !(await remove.evaluate((b) => b === document.activeElement)); i++) await press('Tab');
  await press('Enter');
  await expect(page.getByRole('dialog', { name: 'Apagar esta nota?' })).toBeVisible();
  await press('Escape');
  await expect(remove).toBeFocused();
});

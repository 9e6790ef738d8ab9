import { expect, PASSWORD, signUp, test } from './fixtures';

test('the household and the consents are kept', async ({ page }) => {
  await signUp(page);
  await page.goto('/conta');
  await page.getByLabel('Renda da família por mês').fill('5.123,45');
  await page.getByLabel('Crianças').fill('2');
  await page.getByRole('button', { name: 'Salvar família' }).click();
  await expect(page.getByText('Família atualizada.')).toBeVisible();
  await page.getByRole('checkbox', { name: 'Gemini' }).check();
  await expect(page.getByText('Permissão dada.')).toBeVisible();
  await page.reload();
  await expect(page.getByLabel('Renda da família por mês')).toHaveValue('5.123,45');
  await expect(page.getByLabel('Crianças')).toHaveValue('2');
  await expect(page.getByRole('checkbox', { name: 'Gemini' })).toBeChecked();
});

test('the theme is kept', async ({ page }) => {
  await signUp(page);
  await page.goto('/conta');
  await page.getByRole('radio', { name: 'Escuro' }).check();
  await page.reload();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
});

test('a person signs out in all tabs, and in again', async ({ page, context }) => {
  const email = await signUp(page);
  const other = await context.newPage();
  await other.goto('/');
  await expect(other.getByRole('heading', { name: 'Notas', level: 1 })).toBeVisible();
  await page.goto('/conta');
  await page.getByRole('button', { name: 'Sair' }).click();
  await expect(page.getByRole('heading', { name: 'Entrar' })).toBeVisible();
  await expect(other.getByRole('heading', { name: 'Entrar' })).toBeVisible();
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Senha').fill('errada e longa');
  await page.getByRole('button', { name: 'Entrar' }).click();
  await expect(page.getByRole('alert')).toBeVisible();
  await page.getByLabel('Senha').fill(PASSWORD);
  await page.getByRole('button', { name: 'Entrar' }).click();
  await expect(page.getByRole('heading', { name: 'Notas', level: 1 })).toBeVisible();
});

test('a person takes their data along and leaves', async ({ page }) => {
  await signUp(page);
  await page.goto('/conta');
  await page.getByRole('button', { name: 'Exportar meus dados' }).click();
  const downloading = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Baixar o arquivo' }).click();
  expect((await downloading).suggestedFilename()).toMatch(/^mercado-esperto-.*\.zip$/);
  await page.getByRole('button', { name: 'Apagar a conta' }).click();
  await page.getByLabel('Confirme com a sua senha').fill(PASSWORD);
  await page.getByRole('button', { name: 'Apagar para sempre' }).click();
  await expect(page.getByRole('heading', { name: 'Entrar' })).toBeVisible();
});

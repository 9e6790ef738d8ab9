import { AxeBuilder } from '@axe-core/playwright';
import { test as base, expect, type Page } from '@playwright/test';

export { expect, type Page };

/** The samples that the service brings, with known contents. */
export const sample = (name: string): string => `../internal/receipts/bundled/${name}`;

export const PASSWORD = 'correta e longa';

let people = 0;
export const someone = (): string => `pessoa-${process.pid}-${Date.now()}-${++people}@example.com`;

/** Every test fails on an error in the console, a broken content security policy among them, and on a request to elsewhere. */
export const test = base.extend<{ quiet: string[]; allowErrors: RegExp[] }>({
  // eslint-disable-next-line no-empty-pattern -- Playwright reads the names in it
  baseURL: async ({}, use) => use(process.env['SMARKET_URL'] ?? ''),
  allowErrors: [[], { option: true }],
  quiet: [
    async ({ page, baseURL, allowErrors }, use) => {
      const faults: string[] = [];
      page.on('console', (m) => {
        if (m.type() === 'error' && !allowErrors.some((e) => e.test(m.text()))) faults.push(m.text());
      });
      page.on('pageerror', (e) => faults.push(e.message));
      page.on('request', (r) => {
        if (!/^(blob|data):/.test(r.url()) && !r.url().startsWith(baseURL ?? '')) faults.push(`request to ${r.url()}`);
      });
      await use(faults);
      expect(faults).toEqual([]);
    },
    { auto: true },
  ],
});

/** Makes an account and stays signed in. */
export async function signUp(page: Page): Promise<string> {
  const email = someone();
  await page.goto('/criar-conta');
  await page.getByLabel('Como quer ser chamado').fill('Ana');
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Senha').fill(PASSWORD);
  await page.getByRole('button', { name: 'Criar conta' }).click();
  await expect(page.getByRole('heading', { name: 'Notas', level: 1 })).toBeVisible();
  return email;
}

/** Picks files on the capture page and sends them. */
export async function send(page: Page, ...names: string[]): Promise<void> {
  await page.getByRole('navigation').getByRole('link', { name: 'Adicionar' }).click();
  await page.getByLabel('Arquivos', { exact: true }).setInputFiles(names.map(sample));
  await page.getByRole('button', { name: /^Enviar/ }).click();
}

/** Fails on any violation of WCAG 2.2 A and AA that can be found by machine. */
export async function accessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
    .analyze();
  expect(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(' | ')}`)).toEqual([]);
}

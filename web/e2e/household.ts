import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { type Page, expect, PASSWORD, sample, someone, test as base } from './fixtures';

export { expect, type Page };

/** An account with purchases, the premium plan, and what was found in them; made once for each worker. */
export interface Home {
  email: string;
}

const url = (): string => process.env['SMARKET_URL'] ?? '';

export const test = base.extend<object, { home: Home }>({
  home: [
    // eslint-disable-next-line no-empty-pattern
    async ({}, use) => {
      const email = someone();
      const { signUp } = await ask<{ signUp: { session: { accessToken: string } } }>(
        `mutation ($input: SignUpInput!) { signUp(input: $input) { session { accessToken } } }`,
        { input: { email, password: PASSWORD, name: 'Bia' } },
      );
      await promote(email, '--premium', '--admin');
      const token = signUp.session.accessToken;
      await submit(token, 'compra-01.xml');
      await submit(token, 'compra-02.xml');
      await expect
        .poll(async () => {
          const { invoices } = await ask<{ invoices: { nodes: { analysis: { status: string } | null }[] } }>(
            `{ invoices(first: 10) { nodes { analysis { status } } } }`,
            {},
            token,
          );
          return invoices.nodes.map((n) => n.analysis?.status);
        })
        .toEqual(['COMPLETED', 'COMPLETED']);
      await use({ email });
    },
    { scope: 'worker' },
  ],
});

/** By the shell, as an operator does. */
export async function promote(email: string, ...flags: string[]): Promise<void> {
  await promisify(execFile)(process.env['SMARKET_BIN'] ?? '../bin/smarket', ['user', 'promote', email, ...flags], {
    env: { PATH: process.env['PATH'], DATA_DIR: process.env['SMARKET_DATA'], LOG_LEVEL: 'warn' },
  });
}

export async function signIn(page: Page, { email }: Home): Promise<void> {
  await page.goto('/entrar');
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Senha').fill(PASSWORD);
  await page.getByRole('button', { name: 'Entrar' }).click();
  await expect(page.getByRole('heading', { name: 'Notas', level: 1 })).toBeVisible();
}

export async function submit(token: string, name: string): Promise<void> {
  const form = new FormData();
  const query = `mutation ($input: SubmitInvoiceInput!) { submitInvoice(input: $input) { invoice { id } } }`;
  form.append('operations', JSON.stringify({ query, variables: { input: { files: [null] } } }));
  form.append('map', JSON.stringify({ 0: ['variables.input.files.0'] }));
  const headers = { Authorization: `Bearer ${token}`, 'Apollo-Require-Preflight': 'true' };
  form.append('0', new Blob([await readFile(sample(name))]), name);
  await reply(fetch(`${url()}/graphql`, { method: 'POST', headers, body: form }));
}

export async function ask<T>(query: string, variables: object, token?: string): Promise<T> {
  const headers = {
    'Content-Type': 'application/json',
    ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
  };
  return reply<T>(fetch(`${url()}/graphql`, { method: 'POST', headers, body: JSON.stringify({ query, variables }) }));
}

async function reply<T>(response: Promise<Response>): Promise<T> {
  const { data, errors } = (await (await response).json()) as { data?: T; errors?: unknown };
  if (data === undefined || errors !== undefined) throw new Error(JSON.stringify(errors));
  return data;
}

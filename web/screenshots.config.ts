import { defineConfig } from '@playwright/test';
import tests from './playwright.config';

/** Not tests: the pictures of docs/images, of the same service as the tests'. */
export default defineConfig({
  ...tests,
  testDir: 'screenshots',
  workers: 1,
  timeout: 300_000,
  // The browser's own controls, as that of dates, speak the language of the system.
  projects: [
    {
      name: 'pictures',
      use: {
        launchOptions: {
          ...tests.use?.launchOptions,
          args: ['--lang=pt-BR'],
          env: { ...process.env, LANGUAGE: 'pt_BR' } as Record<string, string>,
        },
        viewport: { width: 1280, height: 800 },
      },
    },
  ],
});

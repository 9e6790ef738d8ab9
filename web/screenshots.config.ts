import { defineConfig } from '@playwright/test';
import tests from './playwright.config';

/** Not tests: the pictures of docs/images, of the same service as the tests'. */
export default defineConfig({
  ...tests,
  testDir: 'screenshots',
  outputDir: 'test-results-screenshots', // not that of tests, which may run at the same time
  workers: 1,
  timeout: 300_000,
  projects: [{ name: 'pictures', use: { viewport: { width: 1280, height: 800 } } }],
});

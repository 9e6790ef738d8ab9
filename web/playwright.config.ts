import { defineConfig, devices } from '@playwright/test';

// Against the real program: `make build` first, with the app built before it. It reads the samples with the offline provider.
export default defineConfig({
  testDir: 'e2e',
  globalSetup: './e2e/server.ts',
  fullyParallel: true,
  workers: 2,
  // Generous: a busy machine is slow, and nothing here measures speed.
  timeout: 120_000,
  expect: { timeout: 40_000 },
  retries: 0,
  reporter: 'list',
  use: {
    launchOptions: { executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium' },
    locale: 'pt-BR',
    timezoneId: 'America/Sao_Paulo',
    trace: 'retain-on-failure',
  },
  projects: [
    { name: 'phone', use: { ...devices['Pixel 5'], viewport: { width: 360, height: 740 } } },
    // What a wide screen does differently, and the whole path.
    {
      name: 'desktop',
      grep: /@desktop/,
      use: { ...devices['Desktop Chrome'], viewport: { width: 1280, height: 800 } },
    },
  ],
});

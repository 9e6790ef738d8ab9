import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Starts a service of its own for the tests, with an empty data folder; SMARKET_BIN names another program. */
export default async function start(): Promise<() => Promise<void>> {
  const data = await mkdtemp(join(tmpdir(), 'smarket-e2e-'));
  const port = await freePort();
  const service = spawn(process.env['SMARKET_BIN'] ?? '../bin/smarket', ['serve'], {
    env: {
      PATH: process.env['PATH'],
      DATA_DIR: data,
      HTTP_ADDR: `127.0.0.1:${port}`,
      LOG_LEVEL: 'warn',
      CACHE_TTL_HOURS: '0',
      // A second provider for admins to steer. Nobody in the tests consents to it and sends a note, and nothing listens there.
      GEMINI_API_KEY: 'none',
      GEMINI_BASE_URL: 'http://127.0.0.1:9',
    },
    stdio: 'inherit',
  });
  process.env['SMARKET_DATA'] = data;
  process.env['SMARKET_URL'] = `http://127.0.0.1:${port}`;
  const deadline = Date.now() + 30_000;
  while (!(await isReady(process.env['SMARKET_URL']))) {
    if (Date.now() > deadline || service.exitCode !== null) throw new Error('the service did not start');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return async () => {
    const ended = new Promise((resolve) => service.once('exit', resolve));
    service.kill('SIGTERM');
    await ended;
    await rm(data, { recursive: true });
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

async function isReady(url: string): Promise<boolean> {
  return fetch(`${url}/readyz`).then(
    (r) => r.ok,
    () => false,
  );
}

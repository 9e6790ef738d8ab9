import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vitest/config';

/** Writes sw.js with the list of what it keeps: all that was built. */
function serviceWorker(): Plugin {
  return {
    name: 'service-worker',
    apply: 'build',
    generateBundle(_options, bundle) {
      const built = Object.keys(bundle).filter((f) => f !== 'index.html' && !f.endsWith('.map'));
      const icons = readdirSync('public/icons').map((f) => `icons/${f}`);
      const files = ['', 'theme.js', 'manifest.webmanifest', ...icons, ...built].map((f) => `/${f}`);
      const version = createHash('sha256').update(files.join('\n'));
      for (const f of ['index.html', 'public/theme.js', 'public/manifest.webmanifest']) version.update(readFileSync(f));
      this.emitFile({
        type: 'asset',
        fileName: 'sw.js',
        source: readFileSync('sw/sw.js', 'utf8')
          .replace('__VERSION__', JSON.stringify(version.digest('hex').slice(0, 12)))
          .replace('__FILES__', JSON.stringify(files)),
      });
    },
  };
}

const api = process.env['SMARKET_URL'] ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [react(), serviceWorker()],
  server: {
    proxy: {
      '/graphql': { target: api, ws: true },
      '/export': api,
      '/file': api,
    },
  },
  build: {
    target: 'es2022',
    emptyOutDir: false, // scripts/clean.mjs does it, and leaves dist/.keep
    manifest: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
});

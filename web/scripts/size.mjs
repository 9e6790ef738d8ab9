// How much JavaScript the first visit loads: the entry, and what it imports at once. Fails above the limit.
import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';

const LIMIT_KB = 180;
const manifest = JSON.parse(await readFile('dist/.vite/manifest.json', 'utf8'));
const first = new Set();
const visit = (key) => {
  if (first.has(key)) return;
  first.add(key);
  (manifest[key].imports ?? []).forEach(visit);
};
visit('index.html');

let sum = 0;
for (const [key, { file }] of Object.entries(manifest)) {
  if (!file.endsWith('.js')) continue;
  const bytes = gzipSync(await readFile(`dist/${file}`)).length;
  if (first.has(key)) sum += bytes;
  console.log(`${(bytes / 1024).toFixed(1).padStart(7)} KB gzip  ${first.has(key) ? 'first' : 'later'}  ${file}`);
}
console.log(`first load: ${(sum / 1024).toFixed(1)} KB gzip of at most ${LIMIT_KB}`);
if (sum > LIMIT_KB * 1024) process.exit(1);

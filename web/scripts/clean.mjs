// Empties dist before a build, but for the file that keeps the folder in the repository: web/embed.go needs it.
import { readdir, rm } from 'node:fs/promises';

for (const name of await readdir('dist')) {
  if (name !== '.keep') await rm(`dist/${name}`, { recursive: true });
}

import { readdirSync, readFileSync } from 'node:fs';
import { buildSchema, isObjectType } from 'graphql';
import { expect, test } from 'vitest';
import { EMBEDDED } from './cache';

test('every type without an id is known to live in another', () => {
  const folder = '../graph';
  const files = readdirSync(folder).filter((f) => f.endsWith('.graphqls'));
  const schema = buildSchema(files.map((f) => readFileSync(`${folder}/${f}`, 'utf8')).join('\n'));
  const without = Object.values(schema.getTypeMap())
    .filter(
      (t) => isObjectType(t) && !t.name.startsWith('__') && !/^(Query|Mutation|Subscription)$|Payload$/.test(t.name),
    )
    .filter((t) => isObjectType(t) && !('id' in t.getFields()))
    .map((t) => t.name);
  expect([...EMBEDDED].sort()).toEqual(without.sort());
});

// The check of breaking changes finds them, and lets those through that are meant.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('../breaking.mjs', import.meta.url))
const before = `
  type Query { a(x: Int, y: Int): Int  b: E  c(i: I): T }
  enum E { ONE TWO }
  input I { p: Int }
  type T { f: Int }
  type Gone { g: Int }`

function check(t, after, allowed = '') {
  const dir = mkdtempSync(path.join(tmpdir(), 'breaking-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const files = [before, after, allowed].map((text, i) => {
    const name = path.join(dir, `${i}`)
    writeFileSync(name, text)
    return name
  })
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...files], { encoding: 'utf8' })
  return { status, text: stdout + stderr }
}

for (const [name, from, to, change] of [
  ['a removed field', 'f: Int }', 'g: Int }', 'FIELD_REMOVED: T.f was removed.'],
  ['a removed type', 'type Gone { g: Int }', '', 'TYPE_REMOVED: Gone was removed.'],
  ['a removed value', 'ONE TWO', 'ONE', 'VALUE_REMOVED_FROM_ENUM: TWO was removed from enum type E.'],
  ['another type', 'f: Int }', 'f: String }', 'FIELD_CHANGED_KIND: T.f changed type from Int to String.'],
  ['an argument that became required', 'x: Int,', 'x: Int!,', 'ARG_CHANGED_KIND: Query.a arg x has changed type from Int to Int!.'],
  ['a new required argument', 'x: Int,', 'x: Int, z: Int!,', 'REQUIRED_ARG_ADDED: A required arg z on Query.a was added.'],
  ['a removed argument', 'x: Int,', '', 'ARG_REMOVED: Query.a arg x was removed.'],
  ['a new required input field', 'p: Int }', 'p: Int q: Int! }', 'REQUIRED_INPUT_FIELD_ADDED: A required field q on input type I was added.'],
]) {
  test(`${name} breaks clients`, (t) => {
    assert.ok(before.includes(from))
    const after = before.replace(from, to)
    const found = check(t, after)
    assert.equal(found.status, 1)
    assert.ok(found.text.includes(`BREAKING ${change}\n`), found.text)
    assert.equal(check(t, after, `${change} # nobody uses it\n`).status, 0)
    assert.equal(check(t, after, `${change}\n`).status, 1, 'a reason is needed')
  })
}

test('what is added breaks nobody', (t) => {
  const found = check(t, before.replace('f: Int }', 'f: Int g(x: Int): String }').replace('ONE TWO', 'ONE TWO THREE'))
  assert.equal(found.status, 0, found.text)
})

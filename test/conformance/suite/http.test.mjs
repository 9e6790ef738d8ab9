// GraphQL over HTTP: all audits of graphql-http, those that only SHOULD or MAY hold too.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { serverAudits } from 'graphql-http'
import { buildClientSchema, buildSchema, getIntrospectionQuery, lexicographicSortSchema, printSchema } from 'graphql'
import { url } from './env.mjs'

const audits = serverAudits({ url, fetchFn: fetch })

test('the audits are there', () => assert.equal(audits.length, 61))

for (const audit of audits) {
  test(`${audit.id} ${audit.name}`, async () => {
    const result = await audit.fn()
    assert.equal(result.status, 'ok', result.reason)
  })
}

test('schema.graphql is what the service tells by introspection', async () => {
  const res = await fetch(url, {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ query: getIntrospectionQuery() }),
  })
  const { data, errors } = await res.json()
  assert.equal(errors, undefined)
  const print = (schema) => printSchema(lexicographicSortSchema(schema)).split('\n')
  const file = await readFile(new URL('../../../schema.graphql', import.meta.url), 'utf8')
  const told = print(buildClientSchema(data))
  const written = print(buildSchema(file))
  const at = told.findIndex((line, i) => line !== written[i])
  assert.equal(at, -1, `told: ${told.slice(at, at + 3).join('\n')}\nwritten: ${written.slice(at, at + 3).join('\n')}`)
  assert.equal(told.length, written.length)
})

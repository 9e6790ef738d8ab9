// Usage: breaking.mjs BEFORE AFTER ALLOWED. Compares two schemas and fails when the second one breaks clients of the first in a
// way that the list does not allow, or when the list has a line without a reason.
import { readFileSync } from 'node:fs'
import { buildSchema, findBreakingChanges } from 'graphql'

const [before, after, allowed] = process.argv.slice(2).map((name) => readFileSync(name, 'utf8'))

const meant = new Set()
for (const line of allowed.split('\n')) {
  if (line.trim() === '' || line.startsWith('#')) continue
  const [, change, reason] = line.match(/^(.+?)\s+#\s*(.*)$/) ?? []
  if (!change || !reason) {
    console.error(`A line of the allowed changes has no reason: ${line}`)
    process.exitCode = 1
    continue
  }
  meant.add(change)
}

const breaking = findBreakingChanges(buildSchema(before), buildSchema(after))
for (const change of breaking) {
  const name = `${change.type}: ${change.description}`
  const isMeant = meant.has(name)
  console.log(`${isMeant ? 'allowed' : 'BREAKING'} ${name}`)
  if (!isMeant) process.exitCode = 1
}
if (breaking.length === 0) console.log('nothing breaks')

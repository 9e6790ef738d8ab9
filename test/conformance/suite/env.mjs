// What the Go test tells about the service, and what all files of the suite do.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import WebSocket from 'ws'

const { SMARKET_URL, SMARKET_CONTROL, SMARKET_SAMPLES, ANA_TOKEN, RUI_TOKEN, ANA_INVOICE } = process.env
assert.ok(SMARKET_URL, 'run it by: go test ./test/conformance')

export const url = `${SMARKET_URL}/graphql`
export const wsUrl = url.replace(/^http/, 'ws')
export const ana = { Authorization: `Bearer ${ANA_TOKEN}` }
export const rui = { Authorization: `Bearer ${RUI_TOKEN}` }
export const invoiceId = ANA_INVOICE // ana's, completed

// sample is one of the bundled receipts as a browser's file input would give it.
export async function sample(name) {
  return new File([await readFile(path.join(SMARKET_SAMPLES, name))], name)
}

// restart returns when the service is back at its address.
export async function restart() {
  const res = await fetch(SMARKET_CONTROL, { method: 'POST' })
  assert.equal(res.status, 200, await res.text())
}

export const submitMutation = `mutation Submit($input: SubmitInvoiceInput!) {
  submitInvoice(input: $input) { invoice { id status } duplicate { reason } }
}`
export const progressSubscription = `subscription Progress($id: ID!, $afterSeq: Int) {
  extractionProgress(invoiceId: $id, afterSeq: $afterSeq) { seq stage invoice { status } }
}`
export const allSubscription = 'subscription All { extractions { invoiceId seq stage } }'

// submit uploads without any client library.
export async function submit(name, headers = ana) {
  const form = new FormData()
  form.append('operations', JSON.stringify({ query: submitMutation, variables: { input: { files: [null] } } }))
  form.append('map', JSON.stringify({ 0: ['variables.input.files.0'] }))
  form.append('0', await sample(name))
  const res = await fetch(url, { method: 'POST', headers: { ...headers, 'Apollo-Require-Preflight': 'true' }, body: form })
  const { data, errors } = await res.json()
  assert.equal(errors, undefined)
  return data.submitInvoice.invoice.id
}

// gather collects what a client's subscription delivers until it ends.
export function gather(subscribe) {
  return new Promise((resolve, reject) => {
    const results = []
    subscribe({ next: (r) => results.push(r), error: reject, complete: () => resolve(results) })
  })
}

// inOrder says that events came once each, without gaps, and led to the end.
export function inOrder(events, first = 1) {
  assert.deepEqual(events.map((e) => e.seq), events.map((_, i) => first + i))
  assert.equal(events.at(-1).stage, 'COMPLETED')
}

// raw is a websocket without a client library.
export function raw(protocol = 'graphql-transport-ws') {
  const socket = new WebSocket(wsUrl, protocol)
  socket.on('error', () => {}) // what matters is the close code
  const closed = new Promise((resolve) => socket.on('close', resolve))
  const opened = new Promise((resolve) => socket.on('open', resolve))
  return { socket, closed, opened }
}

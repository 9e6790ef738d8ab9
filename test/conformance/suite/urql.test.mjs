// urql: queries, uploads, and subscriptions over either kind of stream.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Client, fetchExchange, subscriptionExchange } from '@urql/core'
import { createClient } from 'graphql-ws'
import WebSocket from 'ws'
import { ana, inOrder, invoiceId, progressSubscription, rui, sample, submitMutation, url, wsUrl } from './env.mjs'

// urql sends multipart when the variables hold files; the header says that no form of a foreign page did.
const fetchOptions = () => ({ headers: { ...ana, 'Apollo-Require-Preflight': 'true' } })

function overEvents(options = fetchOptions) {
  return new Client({ url, exchanges: [fetchExchange], fetchSubscriptions: true, preferGetMethod: false, fetchOptions: options })
}

function overSocket(t) {
  const ws = createClient({ url: wsUrl, webSocketImpl: WebSocket, connectionParams: ana })
  t.after(() => ws.dispose())
  return new Client({
    url, fetchOptions, preferGetMethod: false,
    exchanges: [
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: (request) => ({
          subscribe: (sink) => ({ unsubscribe: ws.subscribe({ ...request, query: request.query ?? '' }, sink) }),
        }),
      }),
    ],
  })
}

// follow collects until urql says that nothing follows.
function follow(client, variables) {
  return new Promise((resolve, reject) => {
    const events = []
    client.subscription(progressSubscription, variables).subscribe((result) => {
      if (result.error) return reject(result.error)
      if (result.data && events.at(-1)?.seq !== result.data.extractionProgress.seq) events.push(result.data.extractionProgress)
      if (events.at(-1)?.stage === 'COMPLETED') resolve(events)
    })
  })
}

test('a query', async () => {
  const result = await overEvents().query('{ viewer { email } }', {})
  assert.equal(result.error, undefined)
  assert.match(result.data.viewer.email, /^ana-/)
})

test('a query by GET', async () => {
  const result = await overEvents().query('{ viewer { email } }', {}, { preferGetMethod: 'force' })
  assert.equal(result.error, undefined)
  assert.match(result.data.viewer.email, /^ana-/)
})

test('an error has its code', async () => {
  const client = overEvents(() => ({ headers: rui }))
  const result = await client.query('query($id: ID!) { invoice(id: $id) { id } }', { id: invoiceId })
  assert.equal(result.error.graphQLErrors[0].extensions.code, 'NOT_FOUND')
})

for (const [name, make, file] of [['a websocket', overSocket, 'compra-02.xml'], ['server-sent events', () => overEvents(), 'compra-04.pdf']]) {
  test(`an upload is followed over ${name}`, async (t) => {
    const client = make(t)
    const result = await client.mutation(submitMutation, { input: { files: [await sample(file)] } })
    assert.equal(result.error, undefined)
    const id = result.data.submitInvoice.invoice.id
    inOrder(await follow(client, { id, afterSeq: 0 }))
  })
}

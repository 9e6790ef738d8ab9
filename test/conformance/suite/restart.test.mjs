// A deployment: sockets are closed with 1012, streams end, and clients come back to what they followed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClient as createSSE } from 'graphql-sse'
import { createClient as createWS } from 'graphql-ws'
import WebSocket from 'ws'
import { allSubscription, ana, raw, restart, submit, url, wsUrl } from './env.mjs'

// completions resolves with the id of the first purchase that was completed.
function completion(client, connected) {
  return new Promise((resolve, reject) => client.subscribe({ query: allSubscription }, {
    next: ({ data }) => data.extractions.stage === 'COMPLETED' && resolve(data.extractions.invoiceId),
    error: reject,
    complete: () => reject(new Error('completed')),
  }, { connected }))
}

test('clients bear a restart', async (t) => {
  const codes = []
  const connections = { ws: 0, sse: 0 }
  const waiting = []
  const count = (kind) => () => {
    connections[kind]++
    waiting.splice(0).forEach((check) => check())
  }
  const until = async (n) => {
    while (connections.ws < n || connections.sse < n) await new Promise((resolve) => waiting.push(resolve))
  }
  const retry = () => new Promise((resolve) => setTimeout(resolve, 50))
  const ws = createWS({
    url: wsUrl, webSocketImpl: WebSocket, connectionParams: ana, retryWait: retry, retryAttempts: 1000, shouldRetry: () => true,
    on: { connected: count('ws'), closed: (event) => codes.push(event.code) },
  })
  const sse = createSSE({ url, headers: ana, retry, retryAttempts: 1000 })
  t.after(() => Promise.all([ws.dispose(), sse.dispose()]))
  const completed = [completion(ws), completion(sse, count('sse'))]
  await until(1)

  const idle = raw()
  await idle.opened
  idle.socket.send(JSON.stringify({ type: 'connection_init', payload: ana }))
  await restart()
  assert.equal(await idle.closed, 1012)
  await until(2)
  assert.equal(codes[0], 1012)

  // The socket's subscribe is on its way when it is connected; a query of the same socket tells when it has arrived.
  await new Promise((resolve, reject) => ws.subscribe({ query: '{ __typename }' }, { next() {}, error: reject, complete: resolve }))
  const id = await submit('compra-02.xml')
  assert.deepEqual(await Promise.all(completed), [id, id])
})

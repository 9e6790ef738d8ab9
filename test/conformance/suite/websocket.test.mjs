// graphql-transport-ws: graphql-ws's client, and every close code.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClient } from 'graphql-ws'
import WebSocket from 'ws'
import { allSubscription, ana, gather, inOrder, invoiceId, progressSubscription, raw, rui, submit, wsUrl } from './env.mjs'

function connect(t, options = {}) {
  const client = createClient({
    url: wsUrl, webSocketImpl: WebSocket, connectionParams: ana, retryWait: async () => {}, ...options,
  })
  t.after(() => client.dispose())
  return client
}

test('a subscription delivers and completes', async (t) => {
  const client = connect(t)
  const results = await gather((sink) => client.subscribe({ query: progressSubscription, variables: { id: invoiceId, afterSeq: 0 } }, sink))
  inOrder(results.map((r) => r.data.extractionProgress))
})

test('a purchase is followed from its upload to its end', async (t) => {
  const client = connect(t)
  const id = await submit('compra-04.pdf')
  const events = []
  for await (const { data } of client.iterate({ query: progressSubscription, variables: { id, afterSeq: 0 } })) {
    events.push(data.extractionProgress)
  }
  inOrder(events)
})

test('several subscriptions share one socket', async (t) => {
  let sockets = 0
  const client = connect(t, { on: { opened: () => sockets++ } })
  const variables = { id: invoiceId, afterSeq: 0 }
  const all = await Promise.all([1, 2, 3].map(() => gather((sink) => client.subscribe({ query: progressSubscription, variables }, sink))))
  for (const results of all) inOrder(results.map((r) => r.data.extractionProgress))
  const [{ data }] = await gather((sink) => client.subscribe({ query: '{ viewer { email } }' }, sink))
  assert.match(data.viewer.email, /^ana-/)
  assert.equal(sockets, 2, 'one for the three, and a lazy one for the query after them')
})

test("another user's invoice is not there", async (t) => {
  const client = connect(t, { connectionParams: rui })
  const results = await gather((sink) => client.subscribe({ query: progressSubscription, variables: { id: invoiceId } }, sink))
  assert.equal(results.length, 1)
  assert.equal(results[0].errors[0].extensions.code, 'NOT_FOUND')
})

test('what does not validate is an error of its subscription alone', async (t) => {
  const client = connect(t)
  await assert.rejects(gather((sink) => client.subscribe({ query: 'subscription { nope }' }, sink)), (errors) => {
    assert.equal(errors[0].extensions.code, 'BAD_USER_INPUT')
    return true
  })
  const [{ data }] = await gather((sink) => client.subscribe({ query: '{ __typename }' }, sink))
  assert.equal(data.__typename, 'Query')
})

test('pings are answered', async (t) => {
  let client
  await new Promise((resolve) => {
    client = connect(t, { keepAlive: 50, lazy: false, on: { pong: (received) => received && resolve() } })
  })
})

test('complete stops the subscription and nothing else', async (t) => {
  const { socket, opened } = raw()
  t.after(() => socket.terminate())
  await opened
  const received = []
  const waiting = []
  socket.on('message', (data) => {
    const m = JSON.parse(data)
    received.push(m)
    waiting.splice(0).forEach((check) => check())
  })
  const until = async (found) => {
    while (!received.some(found)) await new Promise((resolve) => waiting.push(resolve))
  }
  const send = (m) => socket.send(JSON.stringify(m))
  send({ type: 'connection_init', payload: ana })
  await until((m) => m.type === 'connection_ack')
  send({ id: 'stopped', type: 'subscribe', payload: { query: allSubscription } })
  send({ id: 'goes on', type: 'subscribe', payload: { query: allSubscription } })
  send({ id: 'stopped', type: 'complete' })
  await roundTrip()
  await submit('compra-02.xml')
  await until((m) => m.id === 'goes on' && m.payload?.data.extractions.stage === 'COMPLETED')
  assert.deepEqual(received.filter((m) => m.id === 'stopped'), [], 'neither events nor a complete')

  async function roundTrip() { // both subscriptions are in place when a query after them is answered
    send({ id: 'query', type: 'subscribe', payload: { query: '{ __typename }' } })
    await until((m) => m.id === 'query' && m.type === 'complete')
  }
})

// Documented in docs/api.md: the variables are sent anew with each connection.
test('a subscription goes on where a cut connection left it', async (t) => {
  const sockets = []
  class Recorded extends WebSocket {
    constructor(...args) {
      super(...args)
      sockets.push(this)
    }
  }
  const client = connect(t, { webSocketImpl: Recorded })
  const id = await submit('compra-05.png') // a photo: reading it takes a while
  const variables = { id, afterSeq: 0 }
  const events = []
  await gather((sink) => client.subscribe({ query: progressSubscription, variables }, {
    ...sink,
    next({ data }) {
      events.push(data.extractionProgress)
      variables.afterSeq = data.extractionProgress.seq
      if (events.length === 1) sockets[0].terminate()
    },
  }))
  inOrder(events)
  assert.equal(sockets.length, 2, 'the client came back once')
})

test('a client with a token that is no longer good comes back with a fresh one', async (t) => {
  const tokens = ['Bearer expired', ana.Authorization]
  const codes = []
  const client = connect(t, {
    connectionParams: () => ({ Authorization: tokens.shift() }), on: { closed: (event) => codes.push(event.code) },
  })
  const [{ data }] = await gather((sink) => client.subscribe({ query: '{ viewer { email } }' }, sink))
  assert.match(data.viewer.email, /^ana-/)
  assert.equal(codes[0], 4403)
})

const init = JSON.stringify({ type: 'connection_init', payload: ana })
const subscribe = (id) => JSON.stringify({ id, type: 'subscribe', payload: { query: allSubscription } })

for (const [name, want, messages] of [
  ['invalid JSON', 4400, ['{']],
  ['invalid JSON later', 4400, [init, '{']],
  ['binary', 4400, [init, Buffer.from('{}')]],
  ['an unknown type', 4400, [init, '{"type":"start"}']],
  ["a server's type", 4400, [init, '{"id":"a","type":"next","payload":{}}']],
  ['no id', 4400, [init, '{"type":"subscribe","payload":{"query":"{ __typename }"}}']],
  ['no payload', 4400, [init, '{"id":"a","type":"subscribe"}']],
  ['no query and no hash', 4400, [init, '{"id":"a","type":"subscribe","payload":{"extensions":{}}}']],
  ['subscribe before the acknowledgement', 4401, [subscribe('a')]],
  ['a bad token', 4403, ['{"type":"connection_init","payload":{"Authorization":"Bearer nobody"}}']],
  ['no connection_init', 4408, []],
  ['an id in use', 4409, [init, subscribe('a'), subscribe('a')]],
  ['connection_init twice', 4429, [init, init]],
  ['51 subscriptions', 4429, [init, ...Array.from({ length: 51 }, (_, i) => subscribe(`s${i}`))]],
]) {
  test(`close code ${want}: ${name}`, { concurrency: true }, async (t) => {
    const { socket, closed, opened } = raw()
    t.after(() => socket.terminate())
    await opened
    for (const m of messages) socket.send(m)
    assert.equal(await closed, want)
  })
}

test('close code 4406: no protocol', async (t) => {
  const { socket, closed } = raw([])
  t.after(() => socket.terminate())
  assert.equal(await closed, 4406)
})

// Server-sent events: graphql-sse's client in its distinct connections mode.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClient } from 'graphql-sse'
import { allSubscription, ana, gather, inOrder, invoiceId, progressSubscription, rui, submit, url } from './env.mjs'

function connect(t, options = {}) {
  const client = createClient({ url, headers: () => ana, retry: async () => {}, ...options })
  t.after(() => client.dispose())
  return client
}

test('a subscription delivers and completes', async (t) => {
  const client = connect(t)
  const events = []
  for await (const { data } of client.iterate({ query: progressSubscription, variables: { id: invoiceId, afterSeq: 0 } })) {
    events.push(data.extractionProgress)
  }
  inOrder(events)
})

test('queries are answered too', async (t) => {
  const [{ data }] = await gather((sink) => connect(t).subscribe({ query: '{ viewer { email } }' }, sink))
  assert.match(data.viewer.email, /^ana-/)
})

test("another user's invoice is not there", async (t) => {
  const client = connect(t, { headers: rui })
  const results = await gather((sink) => client.subscribe({ query: progressSubscription, variables: { id: invoiceId } }, sink))
  assert.equal(results.length, 1)
  assert.equal(results[0].errors[0].extensions.code, 'NOT_FOUND')
})

test('what does not validate is told and completed', async (t) => {
  const results = await gather((sink) => connect(t).subscribe({ query: 'subscription { nope }' }, sink))
  assert.equal(results[0].errors[0].extensions.code, 'BAD_USER_INPUT')
})

test('a client that stops leaves nothing waiting', async (t) => {
  const client = connect(t)
  await new Promise((resolve, reject) => {
    const stop = client.subscribe({ query: allSubscription }, { next() {}, error: reject, complete: resolve }, { connected: () => stop() })
  })
})

test('a subscription goes on where a cut connection left it', async (t) => {
  let connections = 0
  // cutting ends the first connection after its first event, in the middle of whatever follows.
  const cutting = async (...args) => {
    const res = await fetch(...args)
    if (connections++ > 0) return res
    const cut = new TransformStream({
      transform(chunk, controller) {
        const text = new TextDecoder().decode(chunk)
        const end = text.includes('event: next') ? text.indexOf('\n\n', text.indexOf('event: next')) + 2 : text.length
        controller.enqueue(new TextEncoder().encode(text.slice(0, end)))
        if (text.includes('event: next')) setImmediate(() => controller.error(new Error('cut')))
      },
    })
    return new Response(res.body.pipeThrough(cut), { status: res.status, headers: res.headers })
  }
  const client = connect(t, { fetchFn: cutting })
  const variables = { id: invoiceId, afterSeq: 0 }
  const events = []
  await gather((sink) => client.subscribe({ query: progressSubscription, variables }, {
    ...sink,
    next({ data }) {
      events.push(data.extractionProgress)
      variables.afterSeq = data.extractionProgress.seq
    },
  }))
  inOrder(events)
  assert.equal(connections, 2)
})

test('a purchase is followed from its upload to its end', async (t) => {
  const id = await submit('compra-05.png')
  const results = await gather((sink) => connect(t).subscribe({ query: progressSubscription, variables: { id, afterSeq: 0 } }, sink))
  inOrder(results.map((r) => r.data.extractionProgress))
})

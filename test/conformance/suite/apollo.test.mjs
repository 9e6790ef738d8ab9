// Apollo Client: queries, uploads, subscriptions over a websocket, and automatic persisted queries.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { ApolloClient, ApolloLink, CombinedGraphQLErrors, gql, HttpLink, InMemoryCache } from '@apollo/client'
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries'
import { GraphQLWsLink } from '@apollo/client/link/subscriptions'
import UploadHttpLink from 'apollo-upload-client/UploadHttpLink.mjs'
import { OperationTypeNode } from 'graphql'
import { createClient } from 'graphql-ws'
import WebSocket from 'ws'
import { ana, inOrder, invoiceId, progressSubscription, rui, sample, submitMutation, url, wsUrl } from './env.mjs'

const headers = { ...ana, 'Apollo-Require-Preflight': 'true' }
const sha256 = (text) => createHash('sha256').update(text).digest('hex')

function client(link) {
  return new ApolloClient({ link, cache: new InMemoryCache(), defaultOptions: { query: { fetchPolicy: 'no-cache' } } })
}

// front is what a front end would have: subscriptions over a websocket, all else over HTTP, files too.
function front(t) {
  const ws = createClient({ url: wsUrl, webSocketImpl: WebSocket, connectionParams: ana })
  t.after(() => ws.dispose())
  return client(ApolloLink.split(
    ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
    new GraphQLWsLink(ws),
    new UploadHttpLink({ uri: url, headers }),
  ))
}

function follow(apollo, variables) {
  return new Promise((resolve, reject) => {
    const events = []
    apollo.subscribe({ query: gql(progressSubscription), variables, fetchPolicy: 'no-cache' }).subscribe({
      next: ({ data, error }) => (error ? reject(error) : events.push(data.extractionProgress)),
      error: reject,
      complete: () => resolve(events),
    })
  })
}

test('a query', async (t) => {
  const { data } = await front(t).query({ query: gql`{ viewer { email } }` })
  assert.match(data.viewer.email, /^ana-/)
})

test('an error has its code', async () => {
  const apollo = client(new HttpLink({ uri: url, headers: rui }))
  await assert.rejects(apollo.query({ query: gql`query($id: ID!) { invoice(id: $id) { id } }`, variables: { id: invoiceId } }), (error) => {
    assert.ok(CombinedGraphQLErrors.is(error))
    assert.equal(error.errors[0].extensions.code, 'NOT_FOUND')
    return true
  })
})

test('an upload is followed over a websocket', async (t) => {
  const apollo = front(t)
  const { data } = await apollo.mutate({
    mutation: gql(submitMutation), variables: { input: { files: [await sample('compra-02.xml')] } },
  })
  inOrder(await follow(apollo, { id: data.submitInvoice.invoice.id, afterSeq: 0 }))
})

// recorded is fetch that tells what was sent.
function recorded() {
  const sent = []
  const fetchFn = (uri, options) => {
    const text = options.body ?? new URL(uri).search
    sent.push({ method: options.method, withText: text.includes('"query"') || text.includes('?query=') || text.includes('&query=') })
    return fetch(uri, options)
  }
  return { sent, fetchFn }
}

for (const method of ['GET', 'POST']) {
  test(`a query is sent once, and by its hash from then on, with ${method}`, async () => {
    const { sent, fetchFn } = recorded()
    const fresh = () => client(new PersistedQueryLink({ sha256, useGETForHashedQueries: method === 'GET' })
      .concat(new HttpLink({ uri: url, headers, fetch: fetchFn })))
    const query = gql(`query By${method} { viewer { email name } }`)
    for (const apollo of [fresh(), fresh()]) { // two people's browsers
      const { data } = await apollo.query({ query })
      assert.match(data.viewer.email, /^ana-/)
    }
    assert.deepEqual(sent.map((s) => s.withText), [false, true, false])
    assert.equal(sent[0].method, method)
    assert.equal(sent[2].method, method)
  })
}

test('an upload and a subscription by their hashes', async (t) => {
  const ws = createClient({ url: wsUrl, webSocketImpl: WebSocket, connectionParams: ana })
  t.after(() => ws.dispose())
  const upload = client(new PersistedQueryLink({ sha256 }).concat(new UploadHttpLink({ uri: url, headers })))
  let id
  for (const file of ['compra-03.pdf', 'compra-03.pdf']) {
    const { data } = await upload.mutate({ mutation: gql(submitMutation), variables: { input: { files: [await sample(file)] } } })
    id = data.submitInvoice.invoice.id
  }
  const query = progressSubscription
  const extensions = { persistedQuery: { version: 1, sha256Hash: sha256(query) } }
  const variables = { id, afterSeq: 0 }
  const run = (payload) => new Promise((resolve, reject) => {
    const events = []
    ws.subscribe(payload, { next: ({ data }) => events.push(data.extractionProgress), error: reject, complete: () => resolve(events) })
  })
  inOrder(await run({ query, variables, extensions }))
  inOrder(await run({ query: '', variables, extensions })) // graphql-ws insists on a text
})

test('a hash that is not the text\'s is refused', async () => {
  const extensions = { persistedQuery: { version: 1, sha256Hash: sha256('{ another }') } }
  const res = await fetch(url, {
    method: 'POST', headers: { ...headers, 'Content-Type': 'application/json' }, body: JSON.stringify({ query: '{ __typename }', extensions }),
  })
  const { errors, data } = await res.json()
  assert.equal(data, undefined)
  assert.equal(errors[0].extensions.code, 'BAD_USER_INPUT')
})

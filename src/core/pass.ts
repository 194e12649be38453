/**
 * The proxy: a caller's request goes to the provider with a connection's credential, and the answer comes back as it is.
 * Neither body is kept. The credential goes to the hosts that the definition names, and nowhere else: that is checked on
 * every finished URL, right before it is attached. What is tried again, and when: docs/proxy.md.
 */

import type { Context } from './context.ts'
import { withPlacedCredential } from './credential-header.ts'
import { badParameter, MortiseError, toMortiseError } from './errors.ts'
import { checkAnswer, ofStream } from './limits.ts'
import { type Mend, peeked } from './mend.ts'
import { type KeptBody, keepBody } from './pass-body.ts'
import { returning, travelling } from './pass-headers.ts'
import type { PassAnswer, PassRequest } from './pass-request.ts'
import { type RetryRules, retryRules, waitFor } from './pass-retry.ts'
import { assertNamed, baseOf, joined, mayGo } from './pass-url.ts'
import { paramOf } from './place.ts'
import type { Gone, StreamAnswer, StreamRequest } from './ports.ts'
import type { Sender, Senders, Sought } from './sender.ts'
import { soon } from './soon.ts'

/** Redirects at most. */
const mostHops = 5

/**
 * Throws what a read throws (`not_found`, `reauthorization_required`), `invalid_request` (before anything is sent),
 * `provider_unavailable`, `provider_invalid_response` or `integration_misconfigured`. A provider's 4xx or 5xx is an answer.
 */
export const pass = async (
  context: Context,
  senders: Senders,
  mend: Mend,
  sought: Sought,
  request: PassRequest,
): Promise<PassAnswer> => {
  if (request.method === 'CONNECT' || request.method === 'TRACE')
    throw badParameter('method', `${request.method} does not pass the proxy.`)
  const found = senders.of(sought)
  let sender = found instanceof Promise ? await found : found
  const rules = retryRules(sender.client.provider, request)
  const body = keepBody(request.body, sender.client.integration)
  const given = request.base ? baseOf(sender.client, request.base, context.stream.isAllowed) : undefined
  const url = joined(given ?? baseOf(sender.client, undefined, context.stream.isAllowed), request.path, request.query)
  const began = performance.now()
  let mended = false
  for (let tries = 0; ; ) {
    let answer: StreamAnswer
    try {
      answer = await follow(context, sender, request, body, url, given)
    } catch (thrown) {
      const error = toMortiseError(thrown)
      const wait =
        mayRepeat(rules, error, body) && tries < rules.times ? waitFor(tries, undefined, began, context) : undefined
      if (wait === undefined || request.signal?.aborted) {
        context.log.info('a proxied call failed', {
          id: sender.id,
          provider: sender.client.provider.id,
          code: error.code,
          reason: error.details.reason,
        })
        throw error
      }
      tries++
      await rest(wait, request.signal)
      continue
    }
    if (!mended && (await mend.isExpiry(sender, answer.status, () => peeked(answer)))) {
      mended = true
      const alive = await mend.mend(sender)
      if (alive && body.again()) {
        answer.body.cancel()
        sender = alive
        continue
      }
      if (alive) return { ...passed(sender, answer, url), retryable: true }
    }
    const wait = mayAskAgain(rules, answer, tries, body) ? waitFor(tries, answer, began, context) : undefined
    if (wait === undefined) return passed(sender, answer, url)
    tries++
    answer.body.cancel()
    await rest(wait, request.signal)
  }
}

const passed = (
  { client, credential }: Sender,
  answer: StreamAnswer & { readonly from?: string },
  url: string,
): StreamAnswer => ({
  status: answer.status,
  headers: returning(answer.headers, answer.from ?? url, paramOf(client.provider, credential)),
  body: answer.body,
})

/** A failure is tried again where nothing was sent, or where being sent twice does no harm. */
const mayRepeat = (rules: RetryRules, error: MortiseError, body: KeptBody): boolean =>
  error.code === 'provider_unavailable' &&
  error.details.reason !== 'provider_slow' &&
  error.details.reason !== 'hub_stopping' &&
  (error.details.sent === false || rules.repeatable) &&
  body.again()

const mayAskAgain = (rules: RetryRules, answer: StreamAnswer, tries: number, body: KeptBody): boolean =>
  tries < rules.times && rules.on.includes(answer.status) && (rules.asked || rules.repeatable) && body.again()

const rest = (ms: number, signal: Gone | undefined): Promise<void> =>
  new Promise((done, fail) => {
    const gone = () => {
      clearTimeout(timer)
      fail(new MortiseError('provider_unavailable', 'The caller went away.'))
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', gone)
      done()
    }, ms)
    if (signal?.aborted) gone()
    signal?.addEventListener('abort', gone, { once: true })
  })

const redirects = new Set([301, 302, 303, 307, 308])

/** Sends it, and follows what redirects a GET or HEAD to a host that the definition names. Any other redirect is an answer. */
const follow = async (
  context: Context,
  sender: Sender,
  request: PassRequest,
  body: KeptBody,
  first: string,
  given: URL | undefined,
): Promise<StreamAnswer & { readonly from?: string }> => {
  const { client } = sender
  const mine = travelling(request.headers)
  if (request.body && 'json' in request.body) mine['content-type'] ??= 'application/json'
  const readsOnly = request.method === 'GET' || request.method === 'HEAD'
  let url = first
  let headers = mine
  for (let hops = 0; ; hops++) {
    assertNamed(client, url, given)
    const placed = withPlacedCredential(context, sender, {
      method: request.method,
      url,
      headers,
      body: body.take(),
      length: body.length,
      sandbox: client.integration.sandbox,
      ...ofStream(client.integration),
      signal: request.signal,
    } satisfies StreamRequest)
    const answer = await soon(placed, each => context.stream.send(each))
    checkAnswer(client.integration, request.method, answer)
    const { location } = answer.headers
    const next = redirects.has(answer.status) && typeof location === 'string' ? URL.parse(location, url) : null
    if (!next || !readsOnly || hops === mostHops || !body.again() || !mayGo(client, next, given))
      return hops === 0 ? answer : { ...answer, from: url }
    answer.body.cancel()
    next.hash = ''
    // To another host go the definition's own headers and the credential, and the caller's only where it says so.
    if (next.origin !== new URL(url).origin && !request.forwardHeaders) headers = {}
    url = next.href
  }
}

/**
 * Signs requests by OAuth 1.0a (RFC 5849 §3.4) with the library oauth-1.0a. It is given what it must encode, sort and join,
 * and nothing to parse: its own reading of a query keeps names encoded and loses one of two parameters of the same name,
 * and its nonce is no secret's work (decisions/010-oauth1.md).
 */
import { createHmac } from 'node:crypto'
import OAuth from 'oauth-1.0a'
import type { Sign1, Signable } from '../core/ports.ts'

const hashes = { 'HMAC-SHA1': 'sha1', 'HMAC-SHA256': 'sha256', PLAINTEXT: undefined } as const

export const sign1: Sign1 = (request, clientSecret, tokenSecret) => {
  const { oauth_consumer_key: key, oauth_signature_method: method } = request.oauth
  const hash = hashes[method]
  const signer = new OAuth({
    consumer: { key, secret: clientSecret.reveal() },
    signature_method: method,
    // §3.4.4: PLAINTEXT is the key itself.
    hash_function: (base, by) => (hash === undefined ? by : createHmac(hash, by).update(base).digest('base64')),
  })
  const url = new URL(request.url)
  // The library writes into what it is given, so each gets a copy.
  const oauth = () => ({ ...request.oauth }) as OAuth.Data
  const signature = signer.getSignature(
    // §3.4.1.2: lower case, without a port that goes without saying; `URL` has seen to both.
    { method: request.method, url: `${url.origin}${url.pathname}`, data: parametersOf(url, request.form) },
    tokenSecret?.reveal(),
    oauth(),
  )
  return signer.toHeader({ ...oauth(), oauth_signature: signature }).Authorization
}

/** Those of the query and of a form, decoded (§3.4.1.3.1): of a name that is there more than once, each value. */
const parametersOf = (url: URL, form: Signable['form']): Record<string, string[]> => {
  const values: Record<string, string[]> = {}
  for (const [name, value] of [...url.searchParams, ...new URLSearchParams(form ?? '')]) {
    const others = values[name]
    if (others) others.push(value)
    else values[name] = [value]
  }
  return values
}

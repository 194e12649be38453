/**
 * Signatures of OAuth 1.0a, checked. Written from RFC 5849 alone, with nothing of what the hub signs by, so that neither is
 * the other's witness.
 */
import { createHmac } from 'node:crypto'
import type { Incoming } from './http.ts'

/** What the `Authorization` header says (§3.5.1): every parameter but the realm, decoded. */
export type Protocol = ReadonlyMap<string, string>

const PAIR = /^([A-Za-z0-9\-._~%]+)="([A-Za-z0-9\-._~%]*)"$/

/** Undefined where it is not of this scheme; a text says what is malformed. */
export const readHeader = (header: string | undefined): Protocol | string | undefined => {
  const rest = /^oauth +(.*)$/i.exec(header ?? '')?.[1]
  if (rest === undefined) return undefined
  const found = new Map<string, string>()
  for (const part of rest.split(',')) {
    const [, name, value] = PAIR.exec(part.trim()) ?? []
    if (name === undefined || value === undefined) return 'a parameter of the header is malformed'
    if (name.toLowerCase() === 'realm') continue
    let [key, content] = ['', '']
    try {
      ;[key, content] = [decodeURIComponent(name), decodeURIComponent(value)]
    } catch {
      return 'a parameter of the header is malformed'
    }
    // §3.1: each parameter once.
    if (found.has(key)) return `${key} is sent twice`
    found.set(key, content)
  }
  return found
}

/** §3.6: each byte that is not unreserved, in upper-case hex. */
export const percent = (text: string): string => {
  let out = ''
  for (const byte of Buffer.from(text, 'utf8')) {
    const character = String.fromCharCode(byte)
    out += /[A-Za-z0-9\-._~]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return out
}

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

/** §3.4.1. The sandbox plays https on its usual port, so host and path are the whole of the URI. */
const baseString = (request: Incoming, protocol: Protocol): string => {
  const sources = [...protocol].filter(([name]) => name !== 'oauth_signature')
  const all = [...sources, ...request.query, ...(request.body.form ?? [])]
    .map(([name, value]): [string, string] => [percent(name), percent(value)])
    .sort(([a, x], [b, y]) => byBytes(a, b) || byBytes(x, y))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
  return [request.method.toUpperCase(), `https://${request.host}${request.path}`, all].map(percent).join('&')
}

/** What the signature must be (§3.4.2, §3.4.4), or undefined for a method that is none. */
export const signatureOf = (
  method: string,
  request: Incoming,
  protocol: Protocol,
  clientSecret: string,
  tokenSecret: string,
): string | undefined => {
  const key = `${percent(clientSecret)}&${percent(tokenSecret)}`
  if (method === 'PLAINTEXT') return key
  const hash = { 'HMAC-SHA1': 'sha1', 'HMAC-SHA256': 'sha256' }[method]
  return hash && createHmac(hash, key).update(baseString(request, protocol)).digest('base64')
}

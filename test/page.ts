/** The pages as a person's browser gets them and sends their forms. */

import type { Environment } from '../src/core/environment.ts'
import { parseScopes } from '../src/core/keys.ts'
import { addKey } from '../src/core/setup.ts'
import type { Rooms } from '../src/rooms.ts'

export interface Page {
  readonly status: number
  readonly text: string
  readonly headers: Headers
  /** Where a form that was done leads. */
  readonly location: string | null
}

type At = { readonly origin: string }

/** A secret key as a browser sends it: the user name, without a password. */
const basic = (key: string | undefined): Record<string, string> =>
  key === undefined
    ? {}
    : { authorization: `Basic ${Buffer.from(key.includes(':') ? key : `${key}:`).toString('base64')}` }

const pageOf = async (response: Response): Promise<Page> => ({
  status: response.status,
  text: await response.text(),
  headers: response.headers,
  location: response.headers.get('location'),
})

/** `key`: a secret key, or `user:password`. */
export const open = async (hub: At, path: string, key?: string, headers: Record<string, string> = {}): Promise<Page> =>
  pageOf(
    await fetch(hub.origin + path, { redirect: 'manual', headers: { accept: 'text/html', ...basic(key), ...headers } }),
  )

export const fromOwnPage = (hub: At): Record<string, string> => ({
  origin: hub.origin,
  'sec-fetch-site': 'same-origin',
})

/** Sends a form; `headers` say from where. */
export const send = async (
  hub: At,
  path: string,
  fields: Readonly<Record<string, string | readonly string[]>> = {},
  key?: string,
  headers: Record<string, string> = fromOwnPage(hub),
): Promise<Page> => {
  const body = new URLSearchParams()
  for (const [name, value] of Object.entries(fields))
    for (const each of typeof value === 'string' ? [value] : value) body.append(name, each)
  return pageOf(
    await fetch(hub.origin + path, {
      method: 'POST',
      redirect: 'manual',
      body,
      headers: { ...basic(key), ...headers },
    }),
  )
}

const entities: Record<string, string> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'" }
export const unescaped = (text: string): string => text.replace(/&[a-z#0-9]+;/g, entity => entities[entity] ?? entity)

/** What a person reads of a page: no tags, no entities, single blanks. */
export const words = (page: Pick<Page, 'text'>): string =>
  unescaped(page.text.replace(/<[^>]+>/g, ' ')).replace(/\s+/g, ' ')

/** The text that a page lets one copy, by the beginning of its label. */
export const copyable = (page: Pick<Page, 'text'>, label: string): string | undefined => {
  const lines = page.text.matchAll(/<span class="label">([^<]*)<\/span><code[^>]*>([^<]*)<\/code>/g)
  for (const [, name = '', text = ''] of lines) if (unescaped(name).startsWith(label)) return unescaped(text)
  return undefined
}

/** A secret key with these scopes; with none named, all of them. */
export const newKey = async (
  { rooms }: { readonly rooms: Rooms },
  { scopes = [], environment = rooms.firstEnvironment }: { scopes?: readonly string[]; environment?: Environment } = {},
): Promise<{ readonly id: string; readonly key: string }> => {
  const made = await addKey(rooms.hub.context, environment, `key ${scopes.join(' ')}`, parseScopes(scopes))
  return { id: made.key.id, key: made.secret.reveal() }
}

/** Reads what a caller sent, under every spelling that was seen. Pure; throws `invalid_request` that names the field. */
import { didYouMean } from '../../core/alike.ts'
import { type CredentialKind, isKey, type Json, Secret } from '../../core/credential.ts'
import { badParameter } from '../../core/errors.ts'
import { type Given, kindsOf } from '../../core/give.ts'
import type { Provider } from '../../core/provider.ts'
import { kindNamed } from './map.ts'

export type Body = Readonly<Record<string, Json>>

/** The body as an object; nothing sent is an empty one. */
export const bodyOf = (body: unknown): Body => {
  if (body === undefined || body === null) return {}
  if (typeof body === 'object' && !Array.isArray(body)) return body as Body
  throw badParameter('body', 'The body must be a JSON object.')
}

/** A text, under the first of the names that is there. Other things than text are refused; '' counts as missing. */
export const text = (from: Body, ...names: readonly string[]): string | undefined => {
  for (const name of names) {
    const value = from[name]
    if (value === undefined || value === null || value === '') continue
    if (typeof value !== 'string') throw badParameter(name, `${name} must be a text.`)
    if (value.length > 10_000) throw badParameter(name, `${name} is longer than 10,000 characters.`)
    return value
  }
  return undefined
}

export const objectIn = (from: Body, ...names: readonly string[]): Body | undefined => {
  for (const name of names) {
    const value = from[name]
    if (value === undefined || value === null) continue
    if (typeof value !== 'object' || Array.isArray(value)) throw badParameter(name, `${name} must be an object.`)
    return value as Body
  }
  return undefined
}

const flag = (from: Body, name: string): boolean => {
  const value = from[name]
  if (value === undefined || value === null || value === false) return false
  if (value === true) return true
  throw badParameter(name, `${name} must be true or false.`)
}

const known = [
  'connectorId',
  'credentialType',
  'authenticationType',
  'redirectUri',
  'userId',
  'state',
  'authConfigId',
  'data',
  'fields',
  'name',
  'label',
  'allowDuplicate',
  'credentialId',
  'createdAt',
]

/** What is not known is no error, since the vendor's own documents disagree; but it is named. */
export const warningsOf = (body: Body, names: readonly string[]): string[] => {
  const unknown = Object.keys(body).filter(name => !names.includes(name))
  const told = unknown
    .slice(0, mostNamed)
    .map(name => `"${name.slice(0, 80)}" is not a field here and was ignored${didYouMean(name.slice(0, 80), names)}.`)
  return unknown.length > mostNamed ? [...told, `${unknown.length - mostNamed} more fields were ignored.`] : told
}

const mostNamed = 10

export interface NewCredential {
  readonly kind: CredentialKind
  /** Undefined: a flow is to be run. */
  readonly given: Given | undefined
  readonly redirectUri: string | undefined
  readonly state: string | undefined
  readonly params: Readonly<Record<string, string>>
  readonly duplicate: boolean
  readonly name: string | undefined
  /** 24 hex digits that an imported one keeps. */
  readonly id: string | undefined
  readonly createdAt: Date | undefined
  readonly warnings: readonly string[]
}

/** POST /connectors/:id/credentials. */
export const readNewCredential = (
  connectorId: string,
  body: Body,
  params: readonly string[],
  /** The grant of the provider: what is begun where no type is named. */
  flow: CredentialKind = 'oauth2',
): NewCredential => {
  const inBody = text(body, 'connectorId')
  if (inBody !== undefined && inBody !== connectorId)
    throw badParameter(
      'connectorId',
      `The path says ${connectorId} and the body says ${inBody.slice(0, 80)}. They must be the same; or leave connectorId out of the body.`,
    )
  const types = ['authenticationType', 'credentialType'].map(name => text(body, name))
  const [a, b] = types
  if (a !== undefined && b !== undefined && kindNamed(a) !== kindNamed(b))
    throw badParameter('authenticationType', 'authenticationType and credentialType are the same thing; they differ.')
  const asked = a ?? b
  const redirectUri = text(body, 'redirectUri')
  if (asked === undefined && redirectUri === undefined)
    throw badParameter(
      'authenticationType',
      `authenticationType is missing: oauth2 (with redirectUri), apiKey, bearer or basic (with fields). GET …/credentials/metadata says what this connector takes. ${warningsOf(body, known).join(' ')}`.trim(),
    )
  const kind = asked === undefined ? flow : kindNamed(asked)
  if (kind === undefined)
    throw badParameter(
      'authenticationType',
      `"${asked?.slice(0, 80)}" is no authenticationType; there are oauth2, oauth1, apiKey, bearer and basic.`,
    )
  const spread = { ...objectIn(body, 'data'), ...objectIn(body, 'fields') }
  const given = readGiven(kind, spread, body)
  const created = text(body, 'createdAt')
  const createdAt = created === undefined ? undefined : new Date(created)
  if (createdAt && Number.isNaN(createdAt.getTime()))
    throw badParameter('createdAt', 'createdAt must be a time like 2025-11-09T02:55:25Z.')
  const id = text(body, 'credentialId')
  if (id !== undefined && given === undefined)
    throw badParameter('credentialId', 'credentialId can only be given with the tokens of an import, in data.')
  const name = text(body, 'name', 'label')
  if (name !== undefined && !/^[^\p{Cc}]{1,255}$/u.test(name))
    throw badParameter('name', 'name must be at most 255 characters, without control characters.')
  const state = text(body, 'state')
  if (state !== undefined && state.length > 1000) throw badParameter('state', 'state is longer than 1,000 characters.')
  const own = ownNames[kind]
  return {
    kind,
    given,
    redirectUri,
    state,
    params: paramsIn(spread, params),
    duplicate: flag(body, 'allowDuplicate'),
    name,
    id,
    createdAt,
    warnings: [
      ...warningsOf(body, given === undefined ? known : [...known, ...own]),
      ...warningsOf(spread, given === undefined ? params : [...params, ...own]),
    ],
  }
}

const keyNames = {
  apiKey: ['apiKey', 'api-key', 'api_key', 'apikey', 'x-api-key', 'key', 'token', 'accessToken', 'access_token'],
  bearer: ['token', 'bearerToken', 'bearer_token', 'bearer', 'accessToken', 'access_token', 'apiKey', 'api-key', 'key'],
}
const userNames = ['username', 'user', 'userName', 'email', 'login']
const passwords = ['password', 'pass', 'secret', 'apiToken']
const tokenNames = ['accessToken', 'access_token', 'refreshToken', 'refresh_token', 'expiresAt', 'expires_at', 'scope']

const pairNames = {
  token: ['oauthToken', 'oauth_token', 'accessToken', 'access_token'],
  secret: ['oauthTokenSecret', 'oauth_token_secret', 'tokenSecret', 'token_secret'],
}
const ownNames: Readonly<Record<CredentialKind, readonly string[]>> = {
  oauth2: tokenNames,
  oauth1: [...pairNames.token, ...pairNames.secret],
  basic: [...userNames, ...passwords],
  ...keyNames,
}

/** Which type the fields are those of, where nobody says it. */
export const kindOf = (fields: Body, provider: Provider): CredentialKind => {
  const has = (names: readonly string[]) => names.some(name => text(fields, name) !== undefined)
  if (provider.auth === 'oauth1' && has([...pairNames.token, ...pairNames.secret])) return 'oauth1'
  if (provider.auth === 'oauth2' && has(['accessToken', 'access_token'])) return 'oauth2'
  const kinds = kindsOf(provider)
  if (has(passwords) && kinds.includes('basic')) return 'basic'
  return kinds.find(kind => kind === 'apiKey' || kind === 'bearer') ?? kinds.find(kind => isKey(kind)) ?? provider.auth
}

const readGiven = (kind: CredentialKind, fields: Body, body: Body): Given | undefined => {
  // In `fields`, in `data`, or beside them.
  const find = (names: readonly string[]) => text(fields, ...names) ?? text(body, ...names)
  if (kind === 'oauth2') {
    const accessToken = text(fields, 'accessToken', 'access_token')
    if (accessToken === undefined) return undefined
    const refreshToken = text(fields, 'refreshToken', 'refresh_token')
    const at = text(fields, 'expiresAt', 'expires_at')
    const expiresAt = at === undefined ? undefined : new Date(at)
    if (expiresAt && Number.isNaN(expiresAt.getTime()))
      throw badParameter('data.expiresAt', 'expiresAt must be a time like 2025-11-09T02:55:25Z.')
    const scope = text(fields, 'scope')
    return {
      kind,
      accessToken: new Secret(accessToken),
      ...(refreshToken === undefined ? {} : { refreshToken: new Secret(refreshToken) }),
      ...(expiresAt ? { expiresAt } : {}),
      ...(scope === undefined ? {} : { scopes: scope.split(/[ ,]+/).filter(Boolean) }),
    }
  }
  if (kind === 'oauth1') {
    const [token, secret] = [text(fields, ...pairNames.token), text(fields, ...pairNames.secret)]
    if (token === undefined && secret === undefined) return undefined
    if (token === undefined || secret === undefined)
      throw badParameter(
        token === undefined ? 'data.oauthToken' : 'data.oauthTokenSecret',
        'A credential of the type oauth1 needs data: {"oauthToken": "…", "oauthTokenSecret": "…"}.',
      )
    return { kind, token: new Secret(token), tokenSecret: new Secret(secret) }
  }
  if (kind === 'basic') {
    const [username, password] = [find(userNames), find(passwords)]
    if (username === undefined || password === undefined)
      throw badParameter(
        username === undefined ? 'fields.username' : 'fields.password',
        'A credential of the type basic needs fields: {"username": "…", "password": "…"}.',
      )
    if (username.includes(':')) throw badParameter('fields.username', 'A user name has no colon (RFC 7617 §2).')
    return { kind, username, password: new Secret(password) }
  }
  const key = find(keyNames[kind])
  const name = kind === 'bearer' ? 'token' : 'apiKey'
  if (key === undefined)
    throw badParameter(`fields.${name}`, `A credential of the type ${kind} needs fields: {"${name}": "…"}.`)
  if (!/^[\x21-\x7e]+$/.test(key))
    throw badParameter(`fields.${name}`, `${name} must be visible ASCII characters without spaces.`)
  return { kind, key: new Secret(key) }
}

/** Of `data` and `fields`, what the connector asks for; the rest is nobody's, and may be a secret: it is not kept. */
const paramsIn = (fields: Body, params: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]): [string, string][] => {
      if (!params.includes(name)) return []
      if (typeof value !== 'string' || !/^[^\p{Cc}]{0,255}$/u.test(value))
        throw badParameter(`data.${name}`, `data.${name} must be a text of at most 255 characters.`)
      return [[name, value]]
    }),
  )

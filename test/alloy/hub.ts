/** Calls of the dialect's API, and a flow from its beginning to the code. */
import type { TestContext } from 'node:test'
import type { ConnectionShape, ErrorShape, InitiatedShape } from '../../src/http/alloy/shapes.ts'
import { Browser, startTestHub, type TestHub } from '../harness.ts'

export interface Answer<T> {
  readonly status: number
  readonly body: T
  readonly headers: Headers
}

/** A call as a back end makes it. */
export const call = async <T = Record<string, unknown>>(
  hub: { readonly origin: string },
  method: string,
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer<T>> => {
  const response = await fetch(hub.origin + path, {
    method,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, body: (text === '' ? undefined : JSON.parse(text)) as T, headers: response.headers }
}

export const refused = (
  hub: { readonly origin: string },
  method: string,
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer<ErrorShape>> => call<ErrorShape>(hub, method, path, body, headers)

export const app = 'http://localhost:9/oauth/callback'

export const initiate = async (
  hub: { readonly origin: string },
  ask: Readonly<Record<string, unknown>> = {},
  connector = 'notion',
  headers: Readonly<Record<string, string>> = {},
): Promise<InitiatedShape> => {
  const body = { connectorId: connector, credentialType: 'oauth2', redirectUri: app, ...ask }
  const { status, body: answer } = await call<InitiatedShape>(
    hub,
    'POST',
    `/connectors/${connector}/credentials`,
    body,
    headers,
  )
  if (status !== 200) throw new Error(JSON.stringify(answer))
  return answer
}

/** The end user's browser, from `oauthUrl` to the app's redirect URI. */
export const authorize = async (
  hub: TestHub,
  oauthUrl: string,
  options: { account?: string; browser?: Browser; connector?: string; until?: string } = {},
): Promise<{ returned: URL; browser: Browser }> => {
  hub.sandbox.set(options.connector ?? 'notion', { autoApprove: options.account ?? true })
  const browser = options.browser ?? new Browser()
  const { url } = await browser.follow(oauthUrl, next => next.startsWith(options.until ?? app))
  return { returned: new URL(url), browser }
}

/** A whole flow: begun, authorized and redeemed. */
export const connected = async (
  hub: TestHub,
  ask: Readonly<Record<string, unknown>> = {},
  options: { account?: string; connector?: string } = {},
): Promise<ConnectionShape> => {
  const connector = options.connector ?? 'notion'
  const { oauthUrl } = await initiate(hub, ask, connector)
  const { returned } = await authorize(hub, oauthUrl, options)
  const code = returned.searchParams.get('code')
  const answer = await call<ConnectionShape>(hub, 'POST', `/connectors/${connector}/credentials/callback`, { code })
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body))
  return answer.body
}

export const start = (t: Pick<TestContext, 'after'>, options: Parameters<typeof startTestHub>[1] = {}) =>
  startTestHub(t, options)

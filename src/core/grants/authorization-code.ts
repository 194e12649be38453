/** The authorization code grant (RFC 6749 §4.1, RFC 7636, RFC 9700): pure functions, no I/O. */
import type { Secret } from '../credential.ts'
import { challenge } from '../ids.ts'
import type { Integration } from '../integration.ts'
import type { CallRequest } from '../ports.ts'
import type { OAuth2Provider, Provider } from '../provider.ts'
import { expandUrl, type TemplateValues } from '../template.ts'
import type { AuthorizationParams } from './authorization-params.ts'

/** The integration's client at the provider, its secret opened. */
export interface Client<P extends Provider = Provider> {
  readonly provider: P
  readonly integration: Pick<Integration, 'clientId' | 'settings' | 'sandbox' | 'limits'>
  readonly secret: Secret
  /** The connection's configuration, for templates. */
  readonly config: Readonly<Record<string, string>>
}

export const valuesOf = (client: Pick<Client, 'integration' | 'config'>): TemplateValues => ({
  config: client.config,
  settings: client.integration.settings,
})

export interface AuthorizeAsk {
  readonly state: string
  readonly redirectUri: string
  readonly scopes: readonly string[]
  readonly verifier: string | undefined
  /** Besides the definition's, already checked by `checkAuthorizationParams`. null takes one of the definition's away. */
  readonly params?: AuthorizationParams
}

/** The URL that the browser is sent to. What the hub itself sets is set last. */
export const authorizeUrl = (client: Omit<Client<OAuth2Provider>, 'secret'>, ask: AuthorizeAsk): URL => {
  const { authorize } = client.provider
  const url = expandUrl(client.provider, authorize.url, valuesOf(client))
  const set = (name: string, value: string) => url.searchParams.set(name, value)
  for (const [name, value] of Object.entries({ ...authorize.params, ...ask.params }))
    if (value === null) url.searchParams.delete(name)
    else set(name, value)
  set('response_type', 'code')
  set('client_id', client.integration.clientId)
  set('redirect_uri', ask.redirectUri)
  set('state', ask.state)
  if (authorize.scopes && ask.scopes.length > 0)
    set(authorize.scopes.param, ask.scopes.join(authorize.scopes.separator))
  if (ask.verifier !== undefined) {
    set('code_challenge', challenge(ask.verifier))
    set('code_challenge_method', 'S256')
  }
  return url
}

/** The exchange of the code for a credential. */
export const codeRequest = (
  client: Client<OAuth2Provider>,
  given: { code: string; redirectUri: string; verifier: string | undefined },
): CallRequest =>
  tokenRequest(client, client.provider.token.url, {
    grant_type: 'authorization_code',
    code: given.code,
    redirect_uri: given.redirectUri,
    ...(given.verifier === undefined ? {} : { code_verifier: given.verifier }),
    ...client.provider.token.params,
  })

/** A request to a token endpoint, authenticated and encoded the way the definition says (RFC 6749 §2.3.1). */
export const tokenRequest = (
  client: Client<OAuth2Provider>,
  template: string,
  params: Readonly<Record<string, string>>,
): CallRequest => {
  const { token } = client.provider
  const body = token.client === 'body' ? { ...inBody(client), ...params } : params
  return {
    method: 'POST',
    url: expandUrl(client.provider, template, valuesOf(client)).href,
    headers: {
      accept: 'application/json',
      'content-type': token.body === 'json' ? 'application/json' : 'application/x-www-form-urlencoded',
      ...token.headers,
      ...(token.client === 'basic' ? { authorization: basic(client) } : {}),
    },
    body: token.body === 'json' ? JSON.stringify(body) : new URLSearchParams(body).toString(),
    sandbox: client.integration.sandbox,
  }
}

/** The client as parameters of the body (RFC 6749 §2.3.1). */
export const inBody = (client: Client): { client_id: string; client_secret: string } => ({
  client_id: client.integration.clientId,
  client_secret: client.secret.reveal(),
})

/** Id and secret are form-encoded before they are joined (RFC 6749 §2.3.1). */
export const basic = (client: Client): string => {
  const encode = (text: string) => new URLSearchParams([['', text]]).toString().slice(1)
  const pair = `${encode(client.integration.clientId)}:${encode(client.secret.reveal())}`
  return `Basic ${Buffer.from(pair).toString('base64')}`
}

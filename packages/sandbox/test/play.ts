import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after } from 'node:test'
import { type Expectation, type Sandbox, type SandboxOptions, startSandbox } from '../src/index.ts'

/** Rotates, names its errors its own way, and demands a header: what the strict server does not. */
export const orchard: Expectation = {
  provider: 'orchard',
  documents: [],
  authorize: {
    url: 'https://{farm}.orchard.example/connect',
    query: { audience: { is: 'apples' } },
    scopes: { params: ['scopes'], separators: [','], required: true, known: ['pick', 'prune', 'offline'] },
    pkce: 'required',
    issuer: 'https://orchard.example',
    back: ({ host }) => ({ farm: host }),
  },
  code: {
    url: 'https://{farm}.orchard.example/tokens',
    client: 'basic',
    body: 'json',
    headers: { 'orchard-version': { is: '2' } },
    answer: issue => ({ status: 200, body: { ok: true, access: issue.accessToken, refresh: issue.refreshToken } }),
  },
  refresh: {
    url: 'https://{farm}.orchard.example/tokens',
    client: 'basic',
    body: 'json',
    rotates: true,
    reuseRevokes: true,
    graceSeconds: 30,
    answer: issue => ({ status: 200, body: { ok: true, access: issue.accessToken, refresh: issue.refreshToken } }),
  },
  offline: (_, scopes) => scopes.includes('offline'),
  lifetime: 600,
  errors: {
    invalid_client: { status: 401, body: { ok: false, reason: 'who_are_you' } },
    invalid_refresh_token: { status: 200, body: { ok: false, reason: 'stale' } },
  },
  prefix: { access: 'orc_', refresh: 'orr_', code: 'occ_' },
  revoke: {
    url: 'https://{farm}.orchard.example/revoke',
    method: 'POST',
    client: 'basic',
    body: 'json',
    param: 'token',
    accepts: ['access', 'refresh'],
    answer: { status: 200, body: { ok: true } },
  },
  api: [
    {
      method: 'GET',
      url: 'https://{farm}.orchard.example/trees/{tree}',
      answer: ({ path, account, scopes }) => ({ status: 200, body: { tree: path['tree'], who: account.id, scopes } }),
    },
    {
      method: 'POST',
      url: 'https://{farm}.orchard.example/trees/broken',
      answer: () => {
        throw new Error('a fault in an expectation')
      },
    },
  ],
  unauthorized: { status: 403, body: { ok: false, reason: 'no_ladder' } },
  accounts: [
    { id: 'farm-1', name: 'Hill Farm', person: { id: 'p1', name: 'Mara <Hill>', email: 'mara@hill.example' } },
    { id: 'farm-2', name: 'Dale Farm', person: { id: 'p2', name: 'Owen Dale', email: 'owen@dale.example' } },
  ],
}

export const REDIRECT = 'http://localhost:3003/callback?tenant=a%20b'
export const VERIFIER = 'a-verifier-of-enough-length-0123456789-abcdefgh'
export const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url')

export const AUTHORIZE = 'https://login.plain.example/authorize'
export const TOKEN = 'https://login.plain.example/token'

/** A sandbox with a clock of its own and one client per provider. */
export class Stage {
  clock = Date.UTC(2026, 0, 1)
  #sandbox: Sandbox | undefined

  get sandbox(): Sandbox {
    assert.ok(this.#sandbox)
    return this.#sandbox
  }

  async open(options: Partial<SandboxOptions> = {}): Promise<this> {
    this.#sandbox = await startSandbox({ port: 0, now: () => this.clock, expectations: [orchard], ...options })
    const redirectUris = [REDIRECT]
    this.sandbox.register({ provider: 'orchard', clientId: 'or:chard', clientSecret: 's e+c%ret', redirectUris })
    const endpoints = { authorizeUrl: AUTHORIZE, tokenUrl: TOKEN }
    this.sandbox.register({ provider: 'plain', clientId: 'plain-app', clientSecret: 'hush', redirectUris, endpoints })
    return this
  }

  authorize(real: string, params: Record<string, string>): Promise<Response> {
    return fetch(`${this.sandbox.url(real)}?${new URLSearchParams(params)}`, { redirect: 'manual' })
  }

  plainRequest(more: Record<string, string> = {}): Record<string, string> {
    return {
      response_type: 'code',
      client_id: 'plain-app',
      redirect_uri: REDIRECT,
      state: 'st',
      scope: 'read write',
      code_challenge: CHALLENGE,
      code_challenge_method: 'S256',
      ...more,
    }
  }

  orchardRequest(more: Record<string, string> = {}): Record<string, string> {
    const { scope: _, ...rest } = this.plainRequest()
    return { ...rest, client_id: 'or:chard', audience: 'apples', scopes: 'pick,offline', ...more }
  }

  async plainCode(): Promise<string> {
    this.sandbox.set('plain', { autoApprove: true })
    return codeOf(await this.authorize(AUTHORIZE, this.plainRequest()))
  }

  plain(form: Record<string, string>, headers: Record<string, string> = {}): Promise<Response> {
    const own = headers['authorization'] ? {} : { client_id: 'plain-app', client_secret: 'hush' }
    return fetch(this.sandbox.url(TOKEN), {
      method: 'POST',
      headers,
      body: new URLSearchParams({ ...own, ...form }),
    })
  }

  exchange(code: string, more: Record<string, string> = {}): Promise<Response> {
    const form = { grant_type: 'authorization_code', code, redirect_uri: REDIRECT, code_verifier: VERIFIER }
    return this.plain({ ...form, ...more })
  }

  renew(refresh_token: string): Promise<Response> {
    return this.plain({ grant_type: 'refresh_token', refresh_token })
  }

  orchard(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
    const basic = Buffer.from(`${encodeURIComponent('or:chard')}:s+e%2Bc%25ret`).toString('base64')
    return fetch(this.sandbox.url(`https://hill.orchard.example${path}`), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Basic ${basic}`,
        'orchard-version': '2',
        ...headers,
      },
      body: JSON.stringify(body),
    })
  }

  async orchardTokens(): Promise<{ access: string; refresh: string }> {
    this.sandbox.set('orchard', { autoApprove: true })
    const answer = await this.authorize('https://hill.orchard.example/connect', this.orchardRequest())
    const code = codeOf(answer)
    const form = { grant_type: 'authorization_code', code, redirect_uri: REDIRECT, code_verifier: VERIFIER }
    const tokens = await bodyOf(await this.orchard('/tokens', form))
    return { access: String(tokens['access']), refresh: String(tokens['refresh']) }
  }

  renewOrchard(refresh_token: string): Promise<Response> {
    return this.orchard('/tokens', { grant_type: 'refresh_token', refresh_token })
  }

  tree(access: string, farm = 'hill'): Promise<Response> {
    const headers = { authorization: `Bearer ${access}` }
    return fetch(this.sandbox.url(`https://${farm}.orchard.example/trees/old%20oak`), { headers })
  }

  async form(page: Response, fields: Record<string, string>): Promise<Response> {
    const html = await page.text()
    const action = /action="([^"]+)"/.exec(html)?.[1] ?? ''
    const transaction = /name="transaction" value="([^"]+)"/.exec(html)?.[1] ?? ''
    const body = new URLSearchParams({ transaction, ...fields })
    return fetch(`${this.sandbox.origin}${action}`, { method: 'POST', body, redirect: 'manual' })
  }
}

export const stage = async (options: Partial<SandboxOptions> = {}): Promise<Stage> => {
  const made = await new Stage().open(options)
  after(() => made.sandbox.close())
  return made
}

export const bodyOf = async (answer: Response): Promise<Record<string, unknown>> =>
  (await answer.json()) as Record<string, unknown>

export const locationOf = (answer: Response): URL => {
  assert.equal(answer.status, 302)
  return new URL(answer.headers.get('location') ?? '')
}

export const codeOf = (answer: Response): string => {
  const code = locationOf(answer).searchParams.get('code')
  assert.ok(code)
  return code
}

export const refused = async (answer: Response, status: number, error: string): Promise<void> => {
  assert.equal(answer.status, status)
  assert.equal((await bodyOf(answer))['error'], error)
}

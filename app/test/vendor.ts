/**
 * A stand-in of the vendor, as its official reference, its published clients and public callers show it: one origin for
 * its four hosts. It makes another connection each time, sends no code, and knows none of the routes that only the
 * documents tell of. https://docs.runalloy.com
 */
import { createHmac, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

export interface Credential {
  readonly credentialId: string
  readonly type: string
  readonly name: string
  readonly createdAt: string
  readonly updatedAt: string
}

export interface Seen {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: unknown
}

export interface Vendor {
  readonly origin: string
  readonly apiKey: string
  readonly userId: string
  /** Oldest first, as the vendor lists them. */
  readonly credentials: Credential[]
  readonly requests: Seen[]
}

type Json = Readonly<Record<string, unknown>>

class Refused extends Error {
  readonly status: number
  readonly body: unknown
  constructor(status: number, body: unknown) {
    super(`refused with ${status}`)
    this.status = status
    this.body = body
  }
}

const notFound = () => new Refused(404, { message: 'Not Found' })
const invalid = (...details: { properties: string; message: string }[]) =>
  new Refused(400, { error: { message: 'Validation failed', details } })

const object = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {}

/** `strict`: refuses each field of an initiation that its reference does not list, not only `credentialType`. */
export const startVendor = async (
  t: Pick<TestContext, 'after'>,
  { strict = false }: { strict?: boolean } = {},
): Promise<Vendor> => {
  const apiKey = `vendor_${randomBytes(12).toString('hex')}`
  const userId = '690f9a3bd6d6670fb1740001'
  const signingKey = randomBytes(32)
  const credentials: Credential[] = []
  const requests: Seen[] = []
  const links = new Map<string, string>()
  const pages = new Map<string, Json>()

  const serial = (n: number) => n.toString(16).padStart(16, '0')
  const makePage = (title: unknown, parent: Json): Json => {
    const id = `00000000-0000-4000-8000-${String(pages.size + 1).padStart(12, '0')}`
    const page = {
      object: 'page',
      id,
      parent,
      url: `https://www.notion.so/${id}`,
      properties: { title: { id: 'title', type: 'title', title: titleTexts(title) } },
    }
    pages.set(id, page)
    return page
  }
  const titleTexts = (value: unknown): Json[] => {
    const texts = object(value)['title']
    return (Array.isArray(texts) ? texts : []).map(each => ({
      type: 'text',
      plain_text: String(object(object(each)['text'])['content'] ?? ''),
    }))
  }
  makePage({ title: [{ text: { content: 'Home' } }] }, { type: 'workspace', workspace: true })

  const actions: Readonly<Record<string, (input: { path: Json; body: Json }) => unknown>> = {
    'post-search': () => ({ object: 'list', results: [...pages.values()], has_more: false, next_cursor: null }),
    'retrieve-a-page': ({ path }) => pageOf(path),
    'post-page': ({ body }) => makePage(object(body['properties'])['title'], object(body['parent'])),
    'patch-page': ({ path, body }) => {
      const page = pageOf(path)
      const title = { id: 'title', type: 'title', title: titleTexts(object(body['properties'])['title']) }
      const changed = { ...page, properties: { title } }
      pages.set(String(page['id']), changed)
      return changed
    },
  }
  const pageOf = (path: Json): Json => {
    const page = pages.get(String(path['page_id']))
    if (!page) throw new Refused(404, { message: 'Could not find page' })
    return page
  }

  const jwt = (): string => {
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const iat = Math.floor(Date.now() / 1000)
    const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ user: { _id: userId }, iat, exp: iat + 3600 })}`
    return `${text}.${createHmac('sha256', signingKey).update(text).digest('base64url')}`
  }

  /** The consent, given at once; then the browser is sent on with no parameters. */
  const authorize = (url: URL): { location: string } => {
    const redirectUri = links.get(url.searchParams.get('token') ?? '')
    if (redirectUri === undefined) throw new Refused(401, { message: 'Invalid Authorization' })
    const n = credentials.length + 1
    // A minute apart, so that an order by time is an order.
    const at = new Date(Date.UTC(2025, 10, 9, 2, 55, 25) + n * 60_000)
    credentials.push({
      credentialId: Math.floor(at.getTime() / 1000).toString(16) + serial(n),
      type: 'notion-oauth2',
      name: `Eddie Fu's Notion${n === 1 ? '' : ` (${n})`}`,
      createdAt: at.toISOString(),
      updatedAt: at.toISOString(),
    })
    return { location: redirectUri }
  }

  const initiate = (connector: string, body: Json, origin: string): unknown => {
    if (connector !== 'notion') throw new Refused(404, { code: 'AUTHENTICATION_NOT_FOUND' })
    const known = ['userId', 'authenticationType', 'redirectUri', 'authConfigId', 'data']
    const foreign = Object.keys(body).filter(each => !known.includes(each) && (strict || each === 'credentialType'))
    if (foreign.length > 0)
      throw invalid(...foreign.map(each => ({ properties: each, message: `property ${each} should not exist` })))
    if (body['userId'] !== userId) throw invalid({ properties: 'userId', message: 'userId must be a valid ID' })
    if (body['authenticationType'] !== 'oauth2')
      throw invalid({ properties: 'authenticationType', message: 'authenticationType must be oauth2' })
    const token = randomBytes(16).toString('hex')
    const redirectUri = String(body['redirectUri'])
    links.set(token, redirectUri)
    const query = new URLSearchParams({ userId, redirectUri, token })
    return { oauthUrl: `${origin}/api/strategy/connector/notion/authorize?${query}` }
  }

  const execute = (action: string, body: Json): unknown => {
    const id = String(body['credentialId'])
    if (!/^[0-9a-f]{24}$/.test(id))
      throw invalid({ properties: 'credentialId', message: 'credentialId must be a valid ID' })
    if (!credentials.some(each => each.credentialId === id))
      throw new Refused(400, { error: { code: 'INVALID_INPUT', message: 'Credential not found' } })
    const run = actions[action]
    if (!run) throw new Refused(404, { message: 'Action not found' })
    const responseData = run({ path: object(body['pathParams']), body: object(body['requestBody']) })
    return { executionId: randomBytes(12).toString('hex'), status: 'completed', responseData }
  }

  const answer = (request: Seen, url: URL, origin: string): unknown => {
    if (request.headers.authorization !== `Bearer ${apiKey}`)
      throw new Refused(401, { message: 'Invalid Authorization' })
    const { method, path } = request
    const body = object(request.body)
    const versioned = request.headers['x-api-version'] === '2025-09'
    const [, connector = '', rest = ''] = /^\/connectors\/([^/]+)\/(.+)$/.exec(path) ?? []
    if (method === 'GET' && path === '/connectors')
      return { connectors: [{ id: 'notion', name: 'Notion', category: ['productivity'], icon: '' }] }
    if (method === 'POST' && rest === 'credentials' && versioned) return initiate(connector, body, origin)
    if (method === 'GET' && rest === 'credentials') return { credentials }
    const action = /^actions\/([^/]+)\/execute$/.exec(rest)?.[1]
    if (method === 'POST' && action !== undefined && versioned) return execute(action, body)
    const [, user = '', what = ''] = /^\/users\/([^/]+)(?:\/(.+))?$/.exec(path) ?? []
    if (method === 'GET' && user !== '' && user !== userId)
      throw invalid({ properties: 'userId', message: 'userId must be a valid ID' })
    if (method === 'GET' && user !== '' && what === '') return { userId, username: 'eddie', fullName: 'Eddie Fu' }
    if (method === 'GET' && what === 'credentials') {
      const wanted = url.searchParams.get('connectorId')
      return { data: wanted === null || wanted === 'notion' ? credentials : [] }
    }
    if (method === 'GET' && what === 'token' && versioned) return { token: jwt() }
    throw notFound()
  }

  const server = createServer(async (incoming, outgoing) => {
    const origin = `http://localhost:${(server.address() as AddressInfo).port}`
    const url = new URL(incoming.url ?? '/', origin)
    let text = ''
    for await (const chunk of incoming) text += chunk
    const seen = {
      method: incoming.method ?? '',
      path: url.pathname,
      headers: incoming.headers,
      body: text === '' ? undefined : JSON.parse(text),
    }
    requests.push(seen)
    const send = (status: number, body: unknown) =>
      outgoing.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    try {
      if (url.pathname === '/api/strategy/connector/notion/authorize') {
        const to = authorize(url)
        outgoing.writeHead(302, to).end()
      } else send(200, answer(seen, url, origin))
    } catch (error) {
      if (error instanceof Refused) send(error.status, error.body)
      else send(500, { message: String(error) })
    }
  })
  await new Promise<void>(done => server.listen(0, 'localhost', done))
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return { origin: `http://localhost:${(server.address() as AddressInfo).port}`, apiKey, userId, credentials, requests }
}

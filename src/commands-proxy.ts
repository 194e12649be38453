/** `mortise proxy`: one call of a provider's API with a connection's credential, through the hub. */
import { createReadStream, existsSync } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Command, type Options, plain, text, texts, UnreachableError, UsageError } from './command.ts'
import { type Api, errorOf, hubOptions, openCall, takesHub, withHub } from './command-hub.ts'
import type { ConnectionShape } from './http/api/shapes.ts'

const token = /^[A-Za-z]+$/

interface Asked {
  readonly connection: string
  readonly method: string
  readonly path: string
}

const askedOf = (args: readonly string[], hasBody: boolean): Asked => {
  const [connection = '', ...rest] = args
  const [method = '', path = ''] = rest.length === 1 ? [hasBody ? 'POST' : 'GET', ...rest] : rest
  if (path === '' || rest.length > 2)
    throw new UsageError('Give a connection, perhaps a method, and a path: mortise proxy conn_… GET /v1/users/me')
  if (!token.test(method)) throw new UsageError(`"${method}" is no method. The path comes last.`)
  return { connection, method: method.toUpperCase(), path: path.replace(/^\/+/, '') }
}

const headersOf = (given: readonly string[]): Headers => {
  const headers = new Headers()
  for (const each of given) {
    const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):\s*(.*)$/s.exec(each) ?? []
    if (name === undefined || value === undefined || /[\r\n\0]/.test(value))
      throw new UsageError(`--header is "Name: value", not "${each.split(/[:\r\n]/)[0]}".`)
    if (/^authorization$/i.test(name))
      throw new UsageError('The Authorization header is the credential: the hub puts it there.')
    headers.append(name, value)
  }
  return headers
}

/** `@file`, `-` for standard input, or the text itself. */
const bodyOf = (data: string): RequestInit['body'] => {
  if (data === '-') return Readable.toWeb(process.stdin) as ReadableStream
  if (!data.startsWith('@')) return data
  const file = data.slice(1)
  if (!existsSync(file)) throw new UsageError(`There is no file ${file}.`)
  return Readable.toWeb(createReadStream(file)) as ReadableStream
}

/** The connection of that name through that integration, where the name alone may be of several. */
const through = async (api: Api, name: string, integration: string): Promise<string> => {
  const query = new URLSearchParams({ integration, search: name.slice(0, 255) })
  const all = await api.all<ConnectionShape>(`/connections?${query}`)
  return all.find(each => each.connectionId === name)?.id ?? name
}

const proxy = async (args: readonly string[], options: Options): Promise<void> => {
  const data = text(options['data'])
  const { connection, method, path } = askedOf(args, data !== undefined)
  const headers = headersOf(texts(options['header']))
  if (data !== undefined && !headers.has('content-type')) headers.set('content-type', 'application/json')
  const integration = text(options['integration'])
  let id = connection
  if (integration !== undefined)
    await withHub(options, async api => {
      id = await through(api, connection, integration)
    })
  const response = await openCall(
    options,
    method,
    `/api/v1/connections/${encodeURIComponent(id)}/proxy/`,
    path,
    headers,
    data === undefined ? undefined : bodyOf(data),
  )
  const from = response.headers.get('mortise-answer-from')
  if (from !== 'provider') {
    const json: unknown = await response.json().catch(() => undefined)
    throw (
      errorOf(json) ??
      new UnreachableError(`What answers there is no Mortise hub, or an older one (status ${response.status}).`)
    )
  }
  console.error(plain(`${response.status} ${response.statusText}`.trim()))
  if (response.headers.get('mortise-retryable') === 'true')
    console.error('The credential has been renewed since. Run it again.')
  if (response.status >= 300 && response.status < 400)
    console.error(plain(`Location: ${response.headers.get('location') ?? 'none'}`))
  if (response.status >= 400) process.exitCode = 1
  if (response.body) await pipeline(Readable.fromWeb(response.body as never), process.stdout, { end: false })
}

export const proxyCommands: readonly Command[] = [
  {
    name: 'proxy',
    takes: `<connection> [METHOD] <path> [--header "NAME: VALUE" …] [--data TEXT|@FILE|-] [--integration KEY] ${takesHub}`,
    help: "Call the provider's API with a connection's credential; its answer goes to standard output, the status to standard error.",
    options: {
      header: { type: 'string', multiple: true, short: 'H', about: 'A header of the call; may be repeated' },
      data: {
        type: 'string',
        short: 'd',
        about: 'Its body, JSON unless a header says otherwise; @FILE: a file; -: standard input',
      },
      integration: { type: 'string', about: 'Where the name of the connection is one through several' },
      ...hubOptions,
    },
    words: true,
    run: proxy,
  },
]

/** How commands reach the hub's own API: over HTTP; or, to set up a hub that does not run yet, in this process. */
import { readFileSync } from 'node:fs'
import { config, envOption, type Options, text, UnreachableError, UsageError } from './command.ts'

import { Secret } from './core/credential.ts'
import { everyScope } from './core/environment.ts'
import { type ErrorCode, errorTable, MortiseError, type Reason, SetupError } from './core/errors.ts'
import { isLoopbackHost, parseUrl } from './core/loopback.ts'
import { environmentNamed, firstEnvironment } from './core/setup.ts'

/** Where the hub is, and with which key. */
export const hubOptions = {
  url: { type: 'string', about: "Where the hub is; MORTISE_URL, or this machine's own" },
  'key-file': { type: 'string', about: 'A file with the secret key; or set MORTISE_API_KEY' },
} as const

/** The same for commands that set up: they may also open the hub's data themselves. */
export const setUpOptions = {
  ...hubOptions,
  env: { ...envOption.env, about: "Open the hub's data on this machine, in this environment, and call no hub" },
} as const

export const takesHub = '[--url URL] [--key-file FILE]'

export interface Api {
  /** `path` below `/api/v1`. Throws a MortiseError for what the hub refuses. */
  call<T>(method: string, path: string, body?: unknown): Promise<T>
  /** An answer in lines, each as it comes. */
  lines<T>(method: string, path: string, body?: unknown): AsyncGenerator<T, void>
  /** Every page of a list. */
  all<T>(path: string): Promise<T[]>
  close(): Promise<void>
}

/** An answer, however it came. */
interface Raw {
  readonly status: number
  readonly text: string
  /** What is still to come, of an answer in lines. */
  readonly rest?: AsyncIterable<string>
}

/** `lines`: the answer may come in lines, and is not waited for as a whole. */
type Send = (method: string, path: string, body: unknown, lines?: true) => Promise<Raw>

const createApi = (send: Send, where: string, close: () => Promise<void>): Api => {
  const call = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const { status, text: answer } = await send(method, `/api/v1${path}`, body)
    const json = answer === '' ? undefined : parse(answer)
    if (status >= 200 && status < 300 && (answer === '' || json !== undefined)) return json as T
    throw (
      errorOf(json) ??
      new UnreachableError(`What answers at ${where} is no Mortise hub, or an older one (status ${status}).`)
    )
  }
  return {
    call,
    async *lines<T>(method: string, path: string, body?: unknown) {
      const { status, text: whole, rest } = await send(method, `/api/v1${path}`, body, true)
      if (status !== 200)
        throw (
          errorOf(parse(whole)) ??
          new UnreachableError(`What answers at ${where} is no Mortise hub (status ${status}).`)
        )
      let text = whole
      const taken = function* () {
        const lines = text.split('\n')
        text = lines.pop() ?? ''
        for (const line of lines) yield JSON.parse(line) as T
      }
      yield* taken()
      for await (const chunk of rest ?? []) {
        text += chunk
        yield* taken()
      }
      // Every line ends; one that does not was cut off.
      if (text !== '') throw new UnreachableError(`${where} broke off its answer.`)
    },
    async all<T>(path: string) {
      const found: T[] = []
      for (let cursor: string | null = ''; cursor !== null; ) {
        const query = new URLSearchParams({ limit: '100', ...(cursor === '' ? {} : { cursor }) })
        type Page = { readonly data: T[]; readonly next: string | null }
        const page: Page = await call<Page>('GET', `${path}${path.includes('?') ? '&' : '?'}${query}`)
        found.push(...page.data)
        cursor = page.next
      }
      return found
    },
    close,
  }
}

const parse = (json: string): unknown => {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

const hint: Partial<Record<ErrorCode, string>> = {
  unauthenticated:
    ' For this command, put it into MORTISE_API_KEY, or into a file: --key-file FILE. Where the hub runs, npx mortise key create makes one.',
}

/** The error that a hub answered with; undefined where that is none of ours. */
export const errorOf = (json: unknown): MortiseError | undefined => {
  type Told = { error?: { code?: string; message?: string; reason?: string; requestId?: string } }
  const { code, message, reason, requestId } = (json as Told | undefined)?.error ?? {}
  if (code === undefined || message === undefined || !Object.hasOwn(errorTable, code)) return undefined
  const known = code as ErrorCode
  const trace = known === 'internal' && requestId !== undefined ? ` Its log has it under ${requestId}.` : ''
  return new MortiseError(known, `${message}${hint[known] ?? ''}${trace}`, reason ? { reason: reason as Reason } : {})
}

const keyOf = (options: Options): Secret | undefined => {
  const file = text(options['key-file'])
  if (file === undefined) return config('command').apiKey
  try {
    const key = readFileSync(file, 'utf8').trim()
    if (/^[\x21-\x7e]{1,500}$/.test(key)) return new Secret(key)
  } catch (error) {
    throw new SetupError(`The key file ${file} cannot be read: ${(error as Error).message}`)
  }
  throw new SetupError(`The key file ${file} must hold a secret key and nothing else.`)
}

const baseOf = (options: Options): URL => {
  const given = text(options['url'])
  if (given === undefined) {
    const { url, publicUrl } = config('command')
    return url ?? publicUrl
  }
  const url = parseUrl(given)
  if (url && /^https?:$/.test(url.protocol) && url.pathname === '/' && url.search === '' && url.username === '')
    return url
  throw new UsageError('--url is scheme, host and port only, like https://connect.example.com')
}

/** The hub that the options name, and what lets us in. */
const hubOf = (options: Options): { readonly base: URL; readonly authorization: Record<string, string> } => {
  const base = baseOf(options)
  const key = keyOf(options)
  if (key && base.protocol !== 'https:' && !isLoopbackHost(base.hostname))
    throw new SetupError(`${base.origin} is not https, so the key would travel in the clear. Use https.`)
  return { base, authorization: key ? { authorization: `Bearer ${key.reveal()}` } : {} }
}

/** A call of the hub as it is, its answer not read yet. `rest` follows `path` as it is written. */
export const openCall = async (
  options: Options,
  method: string,
  path: string,
  rest: string,
  headers: Headers,
  body: RequestInit['body'],
): Promise<Response> => {
  const { base, authorization } = hubOf(options)
  const url = parseUrl(base.origin + path + rest)
  // What climbs would be another route of the hub.
  if (!url?.pathname.startsWith(path)) throw new UsageError('The path must not have a part that is . or ..')
  for (const [name, value] of Object.entries(authorization)) headers.set(name, value)
  try {
    return await fetch(url, {
      method,
      headers,
      redirect: 'manual',
      ...(body === undefined ? {} : { body, duplex: 'half' }),
    } as RequestInit)
  } catch (error) {
    throw unreachable(base, error)
  }
}

/** Over HTTP. */
const overHttp = (options: Options): Api => {
  const { base, authorization } = hubOf(options)
  const send: Send = async (method, path, body, lines) => {
    try {
      const response = await fetch(base.origin + path, {
        method,
        headers: { ...authorization, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        // The key goes to the hub that was named, and nowhere else.
        redirect: 'error',
        // A walk takes as long as whoever reads it.
        ...(lines ? {} : { signal: AbortSignal.timeout(60_000) }),
      })
      if (lines && response.status === 200 && response.body)
        return { status: 200, text: '', rest: response.body.pipeThrough(new TextDecoderStream()) }
      return { status: response.status, text: await response.text() }
    } catch (error) {
      throw unreachable(base, error)
    }
  }
  return createApi(send, base.origin, async () => {})
}

const unreachable = (base: URL, error: unknown): UnreachableError => {
  const { cause } = error as { cause?: { code?: string; message?: string } }
  const why = cause?.code === 'ECONNREFUSED' ? '' : ` (${cause?.message || (error as Error).message})`
  const start = isLoopbackHost(base.hostname)
    ? ' Start one here: npx mortise dev, to try things out, or npx mortise serve. Or name another: --url URL, or MORTISE_URL.'
    : ' Check --url, or MORTISE_URL.'
  return new UnreachableError(`No hub answers at ${base.origin}${why}.${start}`)
}

/** The same API in this process, on the hub's own data, as its operator. */
const here = async (environmentName: string): Promise<Api> => {
  const { openRooms } = await import('./rooms.ts')
  const { createApp } = await import('./http/app.ts')
  const rooms = await openRooms(config('command'))
  try {
    const { id } = await environmentNamed(rooms.hub.context, environmentName)
    // Whoever may open the data may do everything.
    const operator = { id: 'operator', environmentId: id, scopes: everyScope }
    const app = await createApp(
      rooms.hub,
      {
        keyring: { now: () => ({ find: () => operator, unused: false }) },
        firstEnvironment: rooms.firstEnvironment,
        publicUrl: config('command').publicUrl,
        alsoKnownAs: [],
        onLoopback: false,
      },
      { 'alloy.js': '', 'mortise.js': '' },
    )
    const send: Send = async (method, url, body) => {
      const answer = await app.inject({
        method: method as 'GET',
        url,
        headers: {
          authorization: 'Bearer operator',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
      })
      return { status: answer.statusCode, text: answer.body }
    }
    return createApi(send, 'this machine', async () => {
      await app.close()
      await rooms.storage.close()
    })
  } catch (error) {
    await rooms.storage.close()
    throw error
  }
}

const closing = async (api: Api, work: (api: Api) => Promise<void>): Promise<void> => {
  try {
    await work(api)
  } finally {
    await api.close()
  }
}

/** With the hub that the options name. */
export const withHub = async (options: Options, work: (api: Api) => Promise<void>): Promise<void> =>
  closing(overHttp(options), work)

/**
 * The same, for commands that set a hub up. `--env` opens its data; and so it is where no key is given and no hub lets us
 * in without one: a hub for production needs a key and integrations before it starts, and its operator has its data.
 */
export const withHubOrData = async (options: Options, work: (api: Api) => Promise<void>): Promise<void> => {
  const named = text(options['env'])
  if (named !== undefined) {
    for (const other of ['url', 'key-file'])
      if (options[other] !== undefined)
        throw new UsageError(`--env opens the data here, and --${other} names a hub. Give one of them.`)
    return closing(await here(named), work)
  }
  const hub = overHttp(options)
  if (options['url'] !== undefined || config('command').url !== undefined || keyOf(options) !== undefined)
    return closing(hub, work)
  const refused = await hub.call('GET', '/environment').then(
    () => undefined,
    (error: unknown) => error,
  )
  if (refused === undefined) return closing(hub, work)
  const data = await here(firstEnvironment).catch((error: unknown) => {
    // A hub that runs and wants a key is nearer than data that is not here.
    throw error instanceof SetupError && refused instanceof MortiseError ? refused : error
  })
  return closing(data, work)
}

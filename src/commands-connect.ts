/** mortise connect: one account, from the terminal, through the browser. */
import { spawn } from 'node:child_process'
import { setTimeout } from 'node:timers/promises'
import { type Command, jsonOption, type Options, one, pairs, StoppedError, show, text, UsageError } from './command.ts'
import { type Api, hubOptions, takesHub, withHub } from './command-hub.ts'
import { MortiseError } from './core/errors.ts'
import { writeLine } from './env-file.ts'
import type { IntegrationShape, MadeSessionShape, ProviderShape, SessionShape } from './http/api/shapes.ts'
import { ask, mayAsk } from './prompt.ts'

/** How often it is asked how the flow stands, in milliseconds. */
const beat = 1000

/** What the provider asks of who connects: given, or asked for on a terminal. */
const paramsOf = async (api: Api, integration: string, given: Record<string, string>) => {
  const params = { ...given }
  const all = await api.all<IntegrationShape>('/integrations')
  const found = all.find(each => each.key === integration) ?? all.find(each => each.provider === integration)
  // The hub says what is wrong with the name.
  if (!found) return params
  const provider = await api.call<ProviderShape>('GET', `/providers/${found.provider}`)
  for (const [name, { title, required, example }] of Object.entries(provider.params)) {
    if (params[name] !== undefined || !required) continue
    if (!mayAsk()) throw new UsageError(`${provider.name} asks for ${title}: give --param ${name}=${example ?? '…'}`)
    params[name] = await ask(`${title}${example === null ? '' : `, like ${example}`}: `)
  }
  return params
}

/** A browser of this machine, if it has one; the link is printed in any case. */
const openInBrowser = (url: string): void => {
  const [program, ...args] =
    process.platform === 'darwin' ? ['open'] : process.platform === 'win32' ? ['cmd', '/c', 'start', ''] : ['xdg-open']
  const quoted = process.platform === 'win32' ? url.replaceAll('&', '^&') : url
  const child = spawn(program ?? '', [...args, quoted], { stdio: 'ignore', detached: true })
  child.on('error', () => {})
  child.unref()
}

/** Until it is connected, or is over. Says on standard error what has happened. */
const waited = async (api: Api, id: string, seconds: number, signal: AbortSignal): Promise<SessionShape> => {
  const until = performance.now() + seconds * 1000
  for (let opened = false; ; ) {
    const session = await api.call<SessionShape>('GET', `/connect-sessions/${id}`)
    if (session.opened && !opened) {
      opened = true
      console.error('The link was opened; waiting until the account is approved…')
    }
    if (session.status === 'connected' || session.status === 'expired') return session
    // The same link may be tried again, but here one answer is wanted.
    if (session.status === 'failed') return session
    if (performance.now() > until)
      throw new MortiseError(
        'session_expired',
        `Nobody finished within ${seconds} seconds. The link is good until ${session.expiresAt}; npx mortise connections list shows whether it was used.`,
      )
    await setTimeout(beat, undefined, { signal }).catch(() => {
      throw new StoppedError(`Stopped waiting. The link is good until ${session.expiresAt}.`)
    })
  }
}

const connect = async (api: Api, integration: string, options: Options): Promise<void> => {
  const seconds = Number(text(options['timeout']) ?? '600')
  if (!(seconds > 0 && seconds <= 1800)) throw new UsageError('--timeout is a number of seconds, up to 1800.')
  const user = text(options['user'])
  const made = await api.call<MadeSessionShape>('POST', '/connect-sessions', {
    integration,
    opens: 'link',
    params: await paramsOf(api, integration, pairs('param', options['param'])),
    ...(user === undefined ? {} : { endUser: user }),
    ...(options['allow-duplicate'] === true ? { allowDuplicate: true } : {}),
  })
  const link = made.link ?? ''
  const stopping = new AbortController()
  const stop = () => {
    // After the ^C that a terminal shows.
    if (process.stderr.isTTY) console.error()
    stopping.abort()
  }
  // Before the link is there to be seen: whoever stops it then is answered too.
  process.once('SIGINT', stop)
  try {
    console.error(`Open this link in a browser, pick an account, approve:\n\n  ${link}\n`)
    if (process.stderr.isTTY && options['no-open'] !== true) openInBrowser(link)
    const ended = await waited(api, made.id, seconds, stopping.signal)
    const { connection, error } = ended
    if (connection === null)
      throw new MortiseError(
        error?.code ?? 'session_expired',
        `Not connected: ${error?.message ?? 'the half hour of the link is over.'} Begin again: npx mortise connect ${integration}`,
      )
    const file = text(options['write-env'])
    if (file !== undefined) {
      writeLine(file, 'CONNECTION_ID', connection)
      console.error(`Wrote CONNECTION_ID into ${file}.`)
    }
    console.error(`Connected ${ended.integration}. The id of the connection:`)
    show(options, ended, () => console.log(connection))
  } finally {
    process.off('SIGINT', stop)
  }
}

export const connectCommands: readonly Command[] = [
  {
    name: 'connect',
    words: true,
    takes: `INTEGRATION [--user USER] [--param NAME=VALUE]… [--write-env[=FILE]] [--no-open] [--timeout SECONDS] [--json] ${takesHub}`,
    help: 'Connect an account: opens, or prints, a link for the browser, waits until it is approved, and prints the id of the connection.',
    options: {
      ...hubOptions,
      ...jsonOption,
      user: { type: 'string', about: "The end user whose it will be; the environment's own unless told" },
      param: { type: 'string', multiple: true, about: 'NAME=VALUE, what the provider asks for, like a subdomain' },
      'write-env': {
        type: 'string',
        about: 'Write CONNECTION_ID into .env, or into --write-env=FILE; other lines stay',
      },
      'no-open': { type: 'boolean', about: 'Print the link only' },
      'allow-duplicate': { type: 'boolean', about: 'A second connection where the account is connected already' },
      timeout: { type: 'string', about: 'How long to wait; 600 seconds unless told' },
    },
    bare: { 'write-env': '.env' },
    run(args, options) {
      const integration = one(args, 'the integration to connect, for example notion')
      return withHub(options, api => connect(api, integration, options))
    },
  },
]

/** What a page prints, as processes of their own: a shell, Node, Python. */
import { execFile, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Command, watch } from '../../app/test/process.ts'
import { scopes } from '../../src/core/environment.ts'
import { addKey } from '../../src/core/setup.ts'
import type { ConnectionShape } from '../../src/http/alloy/shapes.ts'
import { app, call, initiate } from '../alloy/hub.ts'
import { Browser, startTestHub, type TestHub, tempFolder } from '../harness.ts'

export type Tests = Pick<TestContext, 'after'>
export type Settings = Readonly<Record<string, string>>

export const root = fileURLToPath(new URL('../../', import.meta.url))
const application = join(root, 'app')
const preload = fileURLToPath(new URL('./preload.ts', import.meta.url))

export interface KeyedHub extends TestHub {
  readonly key: string
  /** What an app's environment holds. */
  readonly settings: Settings
}

/** `mortise dev` with a secret key: what is forgotten to be sent is noticed. */
export const startKeyedHub = async (t: Tests): Promise<KeyedHub> => {
  const hub = await startTestHub(t)
  const made = await addKey(hub.rooms.hub.context, hub.rooms.firstEnvironment, 'app', scopes)
  const key = made.secret.reveal()
  return { ...hub, key, settings: { ALLOY_BASE_URL: hub.origin, ALLOY_API_KEY: key, ALLOY_USER_ID: 'me' } }
}

const ours =
  /^(ALLOY_|MORTISE_|NODE_TEST_CONTEXT|NODE_OPTIONS|CONNECTION_ID|PORT$|REDIRECT_URI|SAMPLE_PAGE_ID|npm_|HUB_)/i

/** Starts a program in the application's environment, without any .env file. Killed, with its children, at the end. */
export const start = (
  t: Tests,
  [program = '', ...args]: readonly string[],
  settings: Settings,
  cwd = root,
): Command => {
  const inherited = Object.entries(process.env).filter(([name]) => !ours.test(name))
  const curl = tempFolder(t)
  // curl says its status on a line of its own, and its command stays as printed.
  writeFileSync(join(curl, '.curlrc'), 'silent\nwrite-out = "\\nHTTP %{http_code}\\n"\n')
  const env = {
    ...Object.fromEntries(inherited),
    ALLOY_ENV_FILE: '/nonexistent/.env',
    CURL_HOME: curl,
    npm_config_update_notifier: 'false',
    ...settings,
  }
  const child = spawn(program, args, { env, cwd, stdio: 'pipe', detached: true })
  const { pid } = child
  t.after(() => {
    try {
      if (pid !== undefined) process.kill(-pid, 'SIGKILL')
    } catch {
      // It has ended, and its children with it.
    }
  })
  return watch(child)
}

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

const run = async (
  t: Tests,
  command: readonly string[],
  settings: Settings,
  { input = '', cwd = root } = {},
): Promise<Ended> => {
  const started = start(t, command, settings, cwd)
  started.child.stdin?.end(input)
  return { code: await started.ended, ...started.output }
}

export const shell = (t: Tests, text: string, settings: Settings, input = ''): Promise<Ended> =>
  run(t, ['bash', '-c', text], settings, { input })

const node = (text: string) => [process.execPath, '--import', preload, '--input-type=module-typescript', '--eval', text]

export const typescript = (t: Tests, text: string, settings: Settings): Promise<Ended> =>
  run(t, node(text), settings, { cwd: application })

/** A server that goes on. */
export const startTypescript = (t: Tests, text: string, settings: Settings): Command =>
  start(t, node(text), settings, application)

export const python = (t: Tests, text: string, settings: Settings): Promise<Ended> =>
  run(t, ['python3', '-c', text], settings)

export interface Answer {
  readonly status: number
  readonly body: string
}

/** What curl printed: each answer with its status. */
export const answersOf = ({ stdout, stderr }: Ended): [Answer, ...Answer[]] => {
  const [first, ...more] = [...stdout.matchAll(/([\s\S]*?)\nHTTP (\d{3})\n/g)].map(([, body = '', status]) => ({
    status: Number(status),
    body,
  }))
  if (first === undefined) throw new Error(`curl got no answer:\n${stdout}${stderr}`)
  return [first, ...more]
}

/** Puts one text in another's place, wherever it stands; a text that is not there is a mistake. */
export const mapped = (text: string, map: Readonly<Record<string, string>>): string => {
  let result = text
  for (const [from, to] of Object.entries(map)) {
    if (!result.includes(from)) throw new Error(`"${from}" does not stand in:\n${text}`)
    result = result.replaceAll(from, () => to)
  }
  return result
}

/** The end user's browser: opens the link, approves, and ends where the app is returned to. */
export const approve = async (
  hub: TestHub,
  url: string,
  until: (next: string) => boolean,
  browser = new Browser(),
): Promise<URL> => {
  hub.sandbox.set('notion', { autoApprove: true })
  const ended = await browser.follow(url, until)
  return new URL(ended.url)
}

export const authorized = (hub: KeyedHub) => ({ authorization: `Bearer ${hub.key}` })

/** A whole flow of the key's own user, or of another one. */
export const connectNotion = async (hub: KeyedHub, ask: Settings = {}): Promise<ConnectionShape> => {
  const { oauthUrl } = await initiate(hub, ask, 'notion', authorized(hub))
  const code = (await approve(hub, oauthUrl, next => next.startsWith(app))).searchParams.get('code')
  const path = '/connectors/notion/credentials/callback'
  const { status, body } = await call<ConnectionShape>(hub, 'POST', path, { code }, authorized(hub))
  if (status !== 200) throw new Error(JSON.stringify(body))
  return body
}

/** Checks the `.ts` files of a folder as the project's own are checked, but for these options. Gives what tsc says. */
export const compile = async (folder: string, options: object): Promise<string> => {
  const tsconfig = join(folder, 'tsconfig.json')
  writeFileSync(
    tsconfig,
    JSON.stringify({
      extends: join(root, 'tsconfig.json'),
      compilerOptions: { ...options, moduleDetection: 'force', rootDir: '/', preserveSymlinks: true },
      include: ['*.ts'],
    }),
  )
  const args = [join(root, 'node_modules/typescript/bin/tsc'), '--noEmit', '-p', tsconfig]
  return promisify(execFile)(process.execPath, args).then(
    ({ stdout }) => stdout,
    (error: { stdout: string }) => error.stdout,
  )
}

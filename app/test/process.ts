/** The application's commands as processes, with an environment of their own, and a browser small enough to see through. */
import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

type Tests = Pick<TestContext, 'after'>
type Settings = Readonly<Record<string, string>>

export const tempFolder = (t: Tests): string => {
  const folder = mkdtempSync(join(tmpdir(), 'app-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A loopback port where nothing listens, below those that the system gives out: nothing else takes it meanwhile. */
export const closedPort = async (): Promise<number> => {
  for (;;) {
    const port = 3_100 + Math.floor(Math.random() * 900)
    const server = createServer()
    const free = await new Promise<boolean>(done => {
      server.once('error', () => done(false)).listen(port, '127.0.0.1', () => done(true))
    })
    if (!free) continue
    server.close()
    await once(server, 'close')
    return port
  }
}

const ours = /^(ALLOY_|MORTISE_|NODE_TEST_CONTEXT|CONNECTION_ID|PORT$|REDIRECT_URI|SAMPLE_PAGE_ID|npm_)/

export interface Command {
  readonly child: ChildProcess
  readonly output: { stdout: string; stderr: string }
  readonly ended: Promise<number | null>
  /** The first match in what it has printed, as soon as it is there. */
  seen(pattern: RegExp): Promise<RegExpExecArray>
}

/** Starts `app/scripts/<name>.ts`. An .env file is read only where the settings name one. */
export const start = (t: Tests, name: string, settings: Settings, args: readonly string[] = []): Command => {
  const script = fileURLToPath(new URL(`../scripts/${name}.ts`, import.meta.url))
  const inherited = Object.entries(process.env).filter(([variable]) => !ours.test(variable))
  const env = { ...Object.fromEntries(inherited), ALLOY_ENV_FILE: '/nonexistent/.env', ...settings }
  const child = spawn(process.execPath, [script, ...args], { env, stdio: 'pipe' })
  t.after(() => child.kill('SIGKILL'))
  return watch(child)
}

/** What a child prints, as it comes. */
export const watch = (child: ChildProcessWithoutNullStreams): Command => {
  const output = { stdout: '', stderr: '' }
  const waiting = new Set<() => void>()
  const changed = () => {
    for (const look of waiting) look()
  }
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].setEncoding('utf8').on('data', chunk => {
      output[stream] += chunk
      changed()
    })
  child.stdin.on('error', () => {})
  const ended = once(child, 'close').then(([code]) => code as number | null)
  return {
    child,
    output,
    ended,
    seen: pattern =>
      new Promise((done, fail) => {
        const look = () => {
          const match = pattern.exec(output.stdout)
          if (!match) return
          waiting.delete(look)
          done(match)
        }
        waiting.add(look)
        look()
        ended.then(() => fail(new Error(`It ended without ${pattern}:\n${output.stdout}\n${output.stderr}`)))
      }),
  }
}

/** Runs a command to its end. */
export const run = async (
  t: Tests,
  name: string,
  settings: Settings,
  { input = '', args = [] }: { input?: string; args?: readonly string[] } = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> => {
  const command = start(t, name, settings, args)
  command.child.stdin?.end(input)
  const code = await command.ended
  return { code, ...command.output }
}

/** Starts the web application on a free port. */
export const startServer = async (t: Tests, settings: Settings): Promise<{ origin: string; command: Command }> => {
  const command = start(t, 'server', { PORT: '0', ...settings })
  const [, origin = ''] = await command.seen(/OAuth server running on (\S+)/)
  return { origin, command }
}

/** One browser: it keeps cookies by host name, and follows no redirect by itself. */
export class Tab {
  readonly cookies = new Map<string, string>()

  async open(url: string, init: RequestInit & { headers?: Record<string, string> } = {}): Promise<Response> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const headers = { accept: 'text/html', ...(cookie ? { cookie } : {}), ...init.headers }
    const response = await fetch(url, { redirect: 'manual', ...init, headers })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      this.cookies.set(name, value)
    }
    return response
  }

  /** Follows redirects to the page at their end. */
  async follow(url: string): Promise<{ status: number; text: string; url: string; headers: Headers }> {
    let at = url
    for (;;) {
      const response = await this.open(at)
      const next = response.headers.get('location')
      if (next === null)
        return { status: response.status, text: await response.text(), url: at, headers: response.headers }
      await response.body?.cancel()
      at = new URL(next, at).href
    }
  }
}

/** `mortise …` as a process of its own, as a person starts it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

const clone = fileURLToPath(new URL('../bin/mortise.js', import.meta.url))

/** The hub that `npm test` has built, which starts in half the time; in a test run by itself, the clone's. `dev` is in none. */
export const bin = process.env['TEST_HUB'] ?? clone
const programOf = (command: string | undefined): string => (command === 'dev' ? clone : bin)

/** This process's environment without any of Mortise's settings, and with those given. */
export const environment = (settings: Readonly<Record<string, string>>): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(MORTISE_|NODE_TEST_CONTEXT)/.test(name))),
  ...settings,
})

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command to its end. `program`: another one than `bin`. */
export const mortise = async (
  args: readonly string[],
  settings: Readonly<Record<string, string>>,
  input = '',
  program = programOf(args[0]),
): Promise<Ended> => {
  const child = spawn(process.execPath, [program, ...args], { env: environment(settings), stdio: 'pipe' })
  const output = collect(child)
  child.stdin.end(input)
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, ...output }
}

const collect = (child: ChildProcess): { stdout: string; stderr: string } => {
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const)
    child[name]?.on('data', chunk => {
      output[name] += chunk
    })
  return output
}

export interface Started {
  readonly child: ChildProcess
  readonly output: { readonly stdout: string; readonly stderr: string }
  /** Milliseconds from the process's start until /ready answered. */
  readonly readyAfter: number
  readonly ended: Promise<number | null>
}

/** Starts a hub and waits until /ready answers. Killed when the test ends. */
export const startProcess = async (
  t: Pick<TestContext, 'after'>,
  mode: 'dev' | 'serve',
  settings: Readonly<Record<string, string>>,
  program = programOf(mode),
): Promise<Started> => {
  const began = performance.now()
  const child = spawn(process.execPath, [program, mode], { env: environment(settings), stdio: 'pipe' })
  t.after(() => child.kill('SIGKILL'))
  const output = collect(child)
  const ended = once(child, 'close').then(([code]) => code as number | null)
  const url = `http://localhost:${settings['MORTISE_PORT']}/ready`
  for (;;) {
    if (child.exitCode !== null) throw new Error(`It ended with ${child.exitCode}:\n${output.stderr}`)
    const answer = await fetch(url).catch(() => undefined)
    if (answer?.ok) return { child, output, readyAfter: performance.now() - began, ended }
    await new Promise(again => setTimeout(again, 25))
  }
}

/** A command under way: what it has said so far, and how it ends. */
export const command = (
  t: Pick<TestContext, 'after'>,
  args: readonly string[],
  settings: Readonly<Record<string, string>>,
  cwd?: string,
): Omit<Started, 'readyAfter'> => {
  const child = spawn(process.execPath, [bin, ...args], { env: environment(settings), stdio: 'pipe', cwd })
  t.after(() => child.kill('SIGKILL'))
  child.stdin.end()
  return { child, output: collect(child), ended: once(child, 'close').then(([code]) => code as number | null) }
}

/** What a pattern finds in the output, as soon as it is there. */
export const said = async (output: () => string, pattern: RegExp): Promise<string> => {
  for (const deadline = performance.now() + 20_000; ; await new Promise(again => setTimeout(again, 20))) {
    const match = pattern.exec(output())
    if (match) return match[1] ?? match[0]
    if (performance.now() > deadline) throw new Error(`It never said ${pattern}:\n${output()}`)
  }
}

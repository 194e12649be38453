/** `mortise …` as a process of its own, as a person starts it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

const bin = fileURLToPath(new URL('../bin/mortise.js', import.meta.url))

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

/** Runs a command to its end. `program`: another one than the clone's. */
export const mortise = async (
  args: readonly string[],
  settings: Readonly<Record<string, string>>,
  input = '',
  program = bin,
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
  program = bin,
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
    await new Promise(again => setTimeout(again, 5))
  }
}

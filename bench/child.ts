/** A helper process of the bench, pinned to a core: it is asked, works, and answers. It ends with the one that asks. */
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

interface Reply {
  readonly id: number
  readonly answer?: unknown
  readonly error?: string
}

export interface Child<Ask, Answer> {
  readonly pid: number
  ask(what: Ask): Promise<Answer>
  stop(): Promise<void>
}

/** Starts `file`, which stands in this folder. `core`: the number of a core, or a list of them. */
export const startChild = <Ask, Answer>(file: string, core: string): Child<Ask, Answer> => {
  const path = fileURLToPath(new URL(file, import.meta.url))
  const child = spawn('taskset', ['-c', core, process.execPath, path], { stdio: ['ignore', 2, 2, 'ipc'] })
  const waiting = new Map<number, { done: (answer: Answer) => void; fail: (error: Error) => void }>()
  let asked = 0
  child.on('message', ({ id, answer, error }: Reply) => {
    const who = waiting.get(id)
    waiting.delete(id)
    if (error === undefined) who?.done(answer as Answer)
    else who?.fail(new Error(`${file}: ${error}`))
  })
  const lost = (error: Error) => {
    for (const { fail } of waiting.values()) fail(error)
    waiting.clear()
  }
  child.on('error', error => lost(new Error(`${file} could not be started: ${error.message}`)))
  child.on('exit', code => lost(new Error(`${file} ended with ${code}.`)))
  return {
    pid: child.pid ?? 0,
    ask: what =>
      new Promise((done, fail) => {
        waiting.set(++asked, { done, fail })
        child.send({ id: asked, what })
      }),
    stop: () => ended(child, 'SIGTERM'),
  }
}

/** Tells a process to end, and waits until it has. */
export const ended = async (child: ChildProcess, signal: NodeJS.Signals): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  const over = new Promise(done => child.once('exit', done))
  child.kill(signal)
  await over
}

/** The other side: what a helper does when it is asked. */
export const answer = <Ask, Answer>(work: (what: Ask) => Promise<Answer> | Answer): void => {
  process.on('disconnect', () => process.exit())
  process.on('message', async ({ id, what }: { id: number; what: Ask }) => {
    try {
      process.send?.({ id, answer: await work(what) })
    } catch (error) {
      process.send?.({ id, error: error instanceof Error ? error.message : String(error) })
    }
  })
}

/** The hubs of a campaign: started, killed, stopped, started again. */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Order, Step } from './hub.ts'

const file = fileURLToPath(new URL('./hub.ts', import.meta.url))

export interface FleetOptions {
  readonly ports: readonly number[]
  readonly env: Readonly<Record<string, string>>
  readonly timing: object
  readonly lookForDue: number
  /** Milliseconds for which a hub that was stopped does nothing. */
  readonly stopFor: number
  /** Where the hubs write down what they do. */
  readonly steps: string
}

/** A time in which a process did nothing; without end for one that was killed. */
export interface Gap {
  readonly pid: number
  readonly from: number
  to: number
}

interface Place {
  readonly port: number
  child: ChildProcess | undefined
  ready: boolean
}

/** Milliseconds between two looks at who has stopped. */
const look = 50

/** See proc(5): the state follows the name, which may hold anything. */
const isStopped = (pid: number): boolean => {
  try {
    return /\) T/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

const pidOf = (child: ChildProcess | undefined): number => child?.pid ?? 0

export const startFleet = async (options: FleetOptions) => {
  const places: Place[] = options.ports.map(port => ({ port, child: undefined, ready: false }))
  const gaps: Gap[] = []
  let [over, output] = [false, '']

  const start = (place: Place): Promise<void> =>
    new Promise((done, fail) => {
      const child = spawn(process.execPath, [file], {
        env: {
          ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(MORTISE_|NODE_TEST)/.test(name))),
          ...options.env,
          MORTISE_PORT: String(place.port),
          CAMPAIGN_TIMING: JSON.stringify(options.timing),
          CAMPAIGN_STEPS: options.steps,
          CAMPAIGN_LOOK: String(options.lookForDue),
        },
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      })
      Object.assign(place, { child, ready: false })
      for (const stream of [child.stdout, child.stderr])
        stream?.on('data', chunk => {
          output = (output + chunk).slice(-20_000)
        })
      child.on('message', () => {
        place.ready = true
        done()
      })
      child.on('exit', (code, signal) => {
        const { ready } = place
        place.ready = false
        if (over) return done()
        gaps.push({ pid: pidOf(child), from: Date.now() - 50, to: Number.POSITIVE_INFINITY })
        // Whatever ended it, it is started again, as an operator's supervisor would: also where the database was away just
        // when it started.
        if (ready && signal !== 'SIGKILL') output += `\na hub ended by itself: ${code} ${signal}`
        setTimeout(() => start(place).then(done, fail), 100)
      })
    })

  await Promise.all(places.map(start))
  // Whoever has stopped, by itself or by us, is let go on once its lease must have lapsed.
  const stopped = new Set<number>()
  const watch = setInterval(() => {
    for (const { child } of places) {
      const pid = pidOf(child)
      if (stopped.has(pid) || !isStopped(pid)) continue
      stopped.add(pid)
      const gap: Gap = { pid, from: Date.now() - 2 * look, to: Number.POSITIVE_INFINITY }
      gaps.push(gap)
      setTimeout(() => {
        gap.to = Date.now()
        stopped.delete(pid)
        child?.kill('SIGCONT')
      }, options.stopFor)
    }
  }, look)
  const tell = (place: Place | undefined, order: Order) => {
    // One that dies meanwhile does not hear it.
    if (place?.ready && place.child?.connected) place.child.send(order, () => {})
  }
  return {
    gaps,
    output: () => output,
    ports: () => places.filter(each => each.ready).map(each => each.port),
    tell: (n: number, order: Order) => tell(places[n], order),
    kill(n: number) {
      places[n]?.child?.kill('SIGKILL')
    },
    /** Stops one, as it may stop itself; it goes on after a while. */
    stop(n: number) {
      places[n]?.child?.kill('SIGSTOP')
    },
    steps: (): Step[] =>
      readFileSync(options.steps, 'utf8')
        .split('\n')
        // The last line of one that was killed may be cut short.
        .flatMap(line => (line.endsWith('}') ? [JSON.parse(line) as Step] : [])),
    async end() {
      over = true
      clearInterval(watch)
      await Promise.all(
        places.map(
          ({ child }) =>
            new Promise<void>(done => {
              if (!child || child.exitCode !== null || child.signalCode !== null) return done()
              child.on('exit', () => done())
              child.kill('SIGCONT')
              if (child.connected) child.send({ end: true } satisfies Order, () => {})
              setTimeout(() => child.kill('SIGKILL'), 10_000).unref()
            }),
        ),
      )
    },
  }
}

export type Fleet = Awaited<ReturnType<typeof startFleet>>

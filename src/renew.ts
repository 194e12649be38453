/**
 * Refreshes in the background: on this thread, or on one of their own, so that no read waits behind a step of one. That
 * thread is a hub without a listener: to the database it is one more process, and shares nothing with this one but that.
 */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { type Loop, startLoop } from './loop/loop.ts'
import type { Rooms } from './rooms.ts'

export type Renewing = Pick<Loop, 'stop'>

/** Milliseconds between looks for what is due. */
const usual = 1_000

/** Milliseconds until a thread that failed is started again. */
const pause = 5_000

/** `every`: milliseconds between looks; 0: all is left to the reads. */
export const renewHere = ({ hub, log }: Rooms, every = usual): Renewing => {
  const refreshes = startLoop(
    async () => {
      if (every > 0) await hub.refreshDue()
    },
    every || 60_000,
    error => log.error('claiming refreshes failed', { err: error }),
  )
  hub.onRefreshDue(refreshes.poke)
  return refreshes
}

/** The thread is started when the first is due. It reads its settings where this process did, in the environment. */
export const renewApart = ({ hub, storage, log }: Rooms): Renewing => {
  let worker: Worker | undefined
  let notBefore = 0
  const start = (): Worker => {
    const started = new Worker(new URL('./renew-thread.ts', import.meta.url), { execArgv: [] })
    started.on('error', error => log.error('the thread that renews tokens failed', { err: error }))
    started.on('exit', code => {
      worker = undefined
      notBefore = performance.now() + pause
      if (code !== 0) log.error('the thread that renews tokens has ended; reads renew what they need until it is back')
    })
    return started
  }
  const looks = startLoop(
    async () => {
      if (worker || performance.now() < notBefore) return
      if (await storage.anyRefreshDue(hub.context.clock.now())) worker = start()
    },
    usual,
    error => log.error('looking for refreshes failed', { err: error }),
  )
  return {
    async stop() {
      await looks.stop()
      if (!worker) return
      const exit = once(worker, 'exit')
      worker.postMessage('stop')
      await exit
    },
  }
}

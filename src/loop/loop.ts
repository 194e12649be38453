/** Timers that call core's sweeps. */

export interface Loop {
  /** Sweeps now; where one is under way, once more after it. */
  poke(): void
  /** Stops the timer and waits for a sweep under way. */
  stop(): Promise<void>
}

/** Sweeps every `every` milliseconds, one at a time; a sweep that fails is reported and the next one comes. */
export const startLoop = (sweep: () => Promise<void>, every: number, failed: (error: unknown) => void): Loop => {
  let running: Promise<void> | undefined
  let [again, stopped] = [false, false]
  const run = () => {
    if (stopped) return
    running ??= sweep()
      .catch(failed)
      .finally(() => {
        running = undefined
        if (!again) return
        again = false
        run()
      })
  }
  const timer = setInterval(run, every)
  timer.unref()
  return {
    poke() {
      again = running !== undefined
      run()
    },
    async stop() {
      stopped = true
      clearInterval(timer)
      await running
    },
  }
}

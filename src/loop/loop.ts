/** Timers that call core's sweep. */

export interface Loop {
  /** Stops the timer and waits for a sweep under way. */
  stop(): Promise<void>
}

/** Sweeps every `every` milliseconds, one at a time; a sweep that fails is reported and the next one comes. */
export const startLoop = (sweep: () => Promise<void>, every: number, failed: (error: unknown) => void): Loop => {
  let running: Promise<void> | undefined
  const timer = setInterval(() => {
    running ??= sweep()
      .catch(failed)
      .finally(() => {
        running = undefined
      })
  }, every)
  timer.unref()
  return {
    async stop() {
      clearInterval(timer)
      await running
    },
  }
}

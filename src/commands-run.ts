/** The commands that run the hub, and bring its database up to date. */
import { type Command, config, jsonOption, show } from './command.ts'
import { version } from './version.ts'

/** Runs until a signal; the second one ends it at once. */
const untilStopped = (stop: () => Promise<void>): void => {
  let stopping = false
  const end = async () => {
    if (stopping) process.exit(1)
    stopping = true
    await stop()
    process.exit(0)
  }
  process.on('SIGINT', end)
  process.on('SIGTERM', end)
}

export const runCommands: readonly Command[] = [
  {
    name: 'dev',
    takes: '',
    help: 'Run the hub and the sandbox on this machine, nothing configured.',
    run: async () => {
      const settings = config('dev')
      const { startDev } = await import('./dev.ts')
      const { devScreen } = await import('./screen.ts')
      const running = await startDev(settings)
      console.log(await devScreen(version, settings, running))
      untilStopped(() => running.stop())
    },
  },
  {
    name: 'serve',
    takes: '',
    help: 'Run the hub in production: no sandbox; refuses to start insecurely.',
    run: async () => {
      const { startHub } = await import('./main.ts')
      const running = await startHub(config('serve'), undefined, { renews: 'apart' })
      untilStopped(() => running.stop())
    },
  },
  {
    name: 'migrate',
    takes: '[--json]',
    help: 'Bring the database up to date, as every start does by itself: here before the start, where that is wanted.',
    options: jsonOption,
    run: async (_args, options) => {
      const { databaseFile, isPostgres, openStorage } = await import('./storage/open.ts')
      const database = config('command').database.reveal()
      const ran: string[] = []
      const storage = await openStorage(database, undefined, names => ran.push(...names))
      await storage.close()
      // The URL of a Postgres holds its password.
      const place = isPostgres(database) ? `Postgres at ${new URL(database).host}` : databaseFile(database)
      show(options, { place, ran }, () => {
        for (const name of ran) console.log(`Ran ${name}`)
        console.log(`The database is up to date: ${place}`)
      })
    },
  },
]

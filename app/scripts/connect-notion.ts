import { spawn } from 'node:child_process'
import { plain } from '../src/alloy-http.ts'
import { getConfig, portSetting } from '../src/config.ts'
import { envFile, writeLine } from '../src/env-file.ts'
import { beginSignIn } from '../src/waiting-room.ts'
import { run } from './terminal.ts'

const usage = `Usage: npm run connect-notion [-- --open] [-- --timeout <seconds>]

Connects Notion from this terminal: prints the OAuth URL, waits for the browser to come back,
and writes CONNECTION_ID into .env.

  --open               opens the URL in your browser
  --timeout <seconds>  how long to wait (default 300)

Settings (.env or the environment): PORT, ALLOY_BASE_URL, ALLOY_API_KEY, ALLOY_USER_ID`

const connect = async (open: boolean, seconds: number): Promise<void> => {
  if (!(seconds > 0 && seconds <= 3600)) throw new Error('--timeout takes a number of seconds, 3600 at most.')
  const config = getConfig()
  const wanted = portSetting()
  console.log(`🔗 Connect Notion to Alloy Automation

STEP 1: Initiate the OAuth flow at ${config.alloyBaseUrl}`)
  const signIn = await beginSignIn(config, wanted, {
    say: line => console.log(`⚠️  ${plain(line)}`),
    keep: connectionId => writeLine('CONNECTION_ID', connectionId),
  })
  try {
    if (wanted !== 0 && signIn.port !== wanted)
      console.log(`Port ${wanted} is already in use, so this waits at port ${signIn.port}.`)
    console.log(`✅ OAuth flow initiated successfully!

STEP 2: Approve in your browser. Open this URL:

${signIn.oauthUrl}

STEP 3: Waiting at ${signIn.redirectUri} for your browser, ${said(seconds)} at most. Stop with Ctrl+C.`)
    if (open) openInBrowser(signIn.oauthUrl)
    const connectionId = await within(seconds, signIn.connectionId)
    console.log(`
✅ Connection established! This line is now in ${envFile()}:
CONNECTION_ID=${plain(connectionId)}

Try it: npm run notion-example`)
  } finally {
    await signIn.close()
  }
}

const said = (seconds: number): string => (seconds % 60 === 0 ? `${seconds / 60} minutes` : `${seconds} seconds`)

const within = async <T>(seconds: number, awaited: Promise<T>): Promise<T> => {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(
    () =>
      late.reject(
        new Error(
          `No browser came back within ${said(seconds)}. Run this again and approve in time; or see whether a connection was made all the same: npm run list-connections`,
        ),
      ),
    seconds * 1000,
  )
  try {
    return await Promise.race([awaited, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

/** The URL is one argument of a program, never part of a shell's line. */
const openInBrowser = (url: string): void => {
  const [command, ...before] =
    process.platform === 'darwin'
      ? ['open']
      : process.platform === 'win32'
        ? ['rundll32', 'url.dll,FileProtocolHandler']
        : ['xdg-open']
  const child = spawn(command ?? 'xdg-open', [...before, url], { stdio: 'ignore', detached: true })
  child.on('error', () => console.log('⚠️  No browser could be opened from here. Open the URL yourself.'))
  child.unref()
}

await run(usage, ({ flags }) => connect(flags['open'] === true, Number(flags['timeout'] ?? '300')), {
  options: { open: { type: 'boolean' }, timeout: { type: 'string' } },
})

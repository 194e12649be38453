/** mortise doctor: what could be in the way, each with who must do what. */
import { type Command, envOption, inEnvironment, text } from './command.ts'
import { diagnose } from './core/diagnose.ts'
import { keysOf } from './core/setup.ts'

/** Whether a hub runs where browsers look for it. */
const answers = async (publicUrl: string): Promise<boolean> => {
  const answer = await fetch(`${publicUrl}/ready`, { signal: AbortSignal.timeout(3000) }).catch(() => undefined)
  return answer?.ok === true
}

export const doctorCommands: readonly Command[] = [
  {
    name: 'doctor',
    takes: '[--user USER] [--connector KEY] [--redirect-uri URL] [--env ENV]',
    help: 'Look at what could be in the way of a flow: root key, database, keys, hub, user, integration, redirect URI. Exit code 1 where something is.',
    options: {
      ...envOption,
      user: { type: 'string' },
      connector: { type: 'string' },
      'redirect-uri': { type: 'string' },
    },
    run: (_args, options) =>
      inEnvironment(options, async ({ hub, storage }, environment) => {
        const { context } = hub
        const [user, connector, redirectUri] = ['user', 'connector', 'redirect-uri'].map(name => text(options[name]))
        const keys = (await keysOf(context, environment)).filter(key => key.revokedAt === undefined)
        const integrations = await storage.integrations(environment.id)
        const runs = await answers(context.publicUrl)
        const checks: { readonly ok: boolean; readonly message: string; readonly check?: string }[] = [
          { ok: true, message: 'The database opens, and the root key is the one that it was sealed under.' },
          {
            ok: true,
            message:
              keys.length === 0
                ? 'There is no secret key: only this machine may call the hub. For others: npx mortise key create'
                : `${keys.length} secret key${keys.length === 1 ? '' : 's'} may call the API of the environment "${environment.name}".`,
          },
          {
            ok: integrations.length > 0,
            message:
              integrations.length === 0
                ? 'There is no integration yet. Add one: npx mortise integrations add …, or start mortise dev once.'
                : `Integrations: ${integrations.map(each => each.key).join(', ')}.`,
          },
          {
            ok: runs,
            message: runs
              ? `A hub answers at ${context.publicUrl}.`
              : `No hub answers at ${context.publicUrl}. Start one: npm start, or npx mortise serve; or set MORTISE_PUBLIC_URL and MORTISE_PORT to where it is.`,
          },
          ...(await diagnose(context, environment, {
            ...(user === undefined ? {} : { user }),
            ...(connector === undefined ? {} : { connector }),
            ...(redirectUri === undefined ? {} : { redirectUri }),
          })),
        ]
        // A command judges as production does.
        const inDev = ' (mortise dev allows it by itself.)'
        for (const { ok, message, check } of checks)
          console.log(`${ok ? 'ok  ' : 'FAIL'}  ${message}${!ok && check === 'redirect' ? inDev : ''}`)
        if (checks.some(check => !check.ok)) process.exitCode = 1
      }),
  },
]

/** The commands on environments. They open the storage directly. */
import {
  type Command,
  day,
  envOption,
  fields,
  inEnvironment,
  jsonOption,
  type Options,
  one,
  show,
  UsageError,
  withRooms,
} from './command.ts'
import type { AllowKind } from './core/environment.ts'
import { MortiseError } from './core/errors.ts'
import { renewJwtKey } from './core/jwt-key.ts'
import { addEnvironment, keysOf, normaliseAllowed, setHmac } from './core/setup.ts'

const allow = (kind: AllowKind) => (args: readonly string[], options: Options) =>
  inEnvironment(options, async (rooms, environment) => {
    const url = normaliseAllowed(kind, one(args, kind === 'redirect' ? 'a URL' : 'an origin'))
    if (options['remove'] === true) {
      if (!(await rooms.storage.disallow(environment.id, kind, url)))
        throw new MortiseError('not_found', `${url} is not on the list of the environment "${environment.name}".`)
      console.log(`Removed ${url} from the environment "${environment.name}".`)
      return
    }
    await rooms.storage.allow(environment.id, kind, url)
    console.log(
      kind === 'redirect'
        ? `Flows of the environment "${environment.name}" may now return to ${url} (with any query).`
        : `Pages of ${url} are no longer refused by the browser routes of the environment "${environment.name}".`,
    )
  })

export const envCommands: readonly Command[] = [
  {
    name: 'env show',
    takes: '[--json] [--env ENV]',
    options: { ...envOption, ...jsonOption },
    help: 'Show an environment: public key, allow-lists, HMAC, integrations.',
    run: (_args, options) =>
      inEnvironment(options, async (rooms, environment) => {
        const { storage } = rooms
        const [redirects, origins] = [
          await storage.allowed(environment.id, 'redirect'),
          await storage.allowed(environment.id, 'origin'),
        ]
        const integrations = await storage.integrations(environment.id)
        const keys = (await keysOf(rooms.hub.context, environment)).filter(key => key.revokedAt === undefined)
        const shown = {
          name: environment.name,
          publicKey: environment.publicKey,
          secretKeys: keys.length,
          hmacRequired: environment.hmacKey !== undefined,
          allowedRedirects: redirects,
          allowedOrigins: origins,
          integrations: integrations.map(each => each.key),
          redirectUri: rooms.hub.context.redirectUri,
        }
        const forPeople = () =>
          fields([
            ['Environment', environment.name],
            ...(environment.frozenAt ? [['Frozen', `since ${day(environment.frozenAt)}, to be moved`] as const] : []),
            ['Public key', environment.publicKey],
            ['Secret keys', String(keys.length)],
            ['HMAC of connect links', environment.hmacKey ? 'required' : 'off'],
            [
              'May return to',
              redirects.join(', ') ||
                'nothing yet (in dev: any loopback URL, and any that a call with a key names): npx mortise env allow-redirect <url>',
            ],
            ['Pages of', origins.join(', ') || 'no other origin'],
            [
              'Integrations',
              integrations.map(each => each.key).join(', ') || 'none yet: npx mortise integrations add <key> …',
            ],
            ['Redirect URI', `${rooms.hub.context.redirectUri}  (register it at each provider)`],
          ])
        show(options, shown, forPeople)
      }),
  },
  {
    name: 'env create',
    words: true,
    takes: 'NAME',
    help: 'Make another environment: its own keys, integrations, connections and lists.',
    run: args =>
      withRooms(async rooms => {
        const environment = await addEnvironment(rooms.hub.context, one(args, 'a name'))
        console.log(`Made the environment "${environment.name}", with the public key ${environment.publicKey}`)
      }),
  },
  {
    name: 'env allow-redirect',
    words: true,
    takes: 'URL [--remove] [--env ENV]',
    help: 'Let finished flows return to this URL.',
    options: { ...envOption, remove: { type: 'boolean' } },
    run: allow('redirect'),
  },
  {
    name: 'env allow-origin',
    words: true,
    takes: 'ORIGIN [--remove] [--env ENV]',
    help: 'Let scripts of pages of this origin call the browser routes.',
    options: { ...envOption, remove: { type: 'boolean' } },
    run: allow('origin'),
  },
  {
    name: 'env hmac',
    words: true,
    takes: 'on|off [--env ENV]',
    help: 'Demand an HMAC in connect links (prints its new key, once), or stop to.',
    options: envOption,
    run: (args, options) =>
      inEnvironment(options, async (rooms, environment) => {
        const wanted = one(args, 'on or off')
        if (wanted !== 'on' && wanted !== 'off') throw new UsageError(`Give on or off, not "${wanted}".`)
        const secret = await setHmac(rooms.hub.context, environment, wanted === 'on')
        if (!secret) return console.log(`Connect links of the environment "${environment.name}" need no HMAC.`)
        console.log(secret.reveal())
        console.error(
          `\nThis is the HMAC key of the environment "${environment.name}". It is shown this once. Every connect link now needs hmac=hex(HMAC-SHA256(key, "integration:connection_id")).`,
        )
      }),
  },
  {
    name: 'env renew-jwt-key',
    takes: '[--env ENV]',
    help: 'Make a new key for the JWTs of end users: those given out stop working at once.',
    options: envOption,
    run: (_args, options) =>
      inEnvironment(options, async (rooms, environment) => {
        await renewJwtKey(rooms.hub.context, environment)
        console.log(`No JWT of the environment "${environment.name}" that was given out works any more.`)
      }),
  },
]

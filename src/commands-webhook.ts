/** The commands on webhooks. A running hub sends; a command only writes, so it sees the hub's own address policy. */
import { setTimeout } from 'node:timers/promises'
import { type Command, day, envOption, inEnvironment, jsonOption, one, show, table, text, texts } from './command.ts'
import type { Secret } from './core/credential.ts'
import type { Environment } from './core/environment.ts'
import { MortiseError } from './core/errors.ts'
import type { Delivery, WebhookEndpoint } from './core/event.ts'
import { deliveriesOf, endpointOf, removeEndpoint, rotateSecret, sendTest, setEndpoint } from './core/notify.ts'
import type { Storage } from './core/storage.ts'

/** Alone on standard output, so that it can be piped. */
const printSecret = (secret: Secret, environment: Environment): void => {
  console.log(secret.reveal())
  console.error(
    `\nThis is the signing secret of the webhooks of the environment "${environment.name}". It is shown this once: put it where your back end reads its secrets, and check every webhook with it.`,
  )
}

/** How a delivery stands, in a few words. */
const standing = (delivery: Delivery): string =>
  delivery.status === 'delivered'
    ? `delivered (${delivery.lastStatus})`
    : `${delivery.status === 'failed' ? 'failed' : delivery.tries === 0 ? 'not sent yet' : `next try ${day(delivery.availableAt)}`}${delivery.lastError ? `: ${delivery.lastError}` : ''}`

/** For programs: never a secret. */
const toEndpoint = ({ url, events, style, previous, createdAt, updatedAt }: WebhookEndpoint) => ({
  url,
  events,
  style,
  previousSecretUntil: previous?.until ?? null,
  createdAt,
  updatedAt,
})
const toDelivery = ({ id, type, status, tries, createdAt, ...each }: Delivery) => ({
  id,
  type,
  status,
  tries,
  sentTo: each.sentTo ?? null,
  lastStatus: each.lastStatus ?? null,
  lastError: each.lastError ?? null,
  availableAt: each.availableAt,
  createdAt,
  deliveredAt: each.deliveredAt ?? null,
})

/** Until it was tried, but no longer than a hub's loop takes, and a try. */
const tried = async (storage: Storage, environmentId: number, id: string): Promise<Delivery | undefined> => {
  for (const deadline = performance.now() + 16_000; ; await setTimeout(100)) {
    const delivery = await storage.delivery(environmentId, id)
    const over = delivery && (delivery.status !== 'pending' || (delivery.tries > 0 && !delivery.claimedUntil))
    if (over || performance.now() > deadline) return delivery
  }
}

export const webhookCommands: readonly Command[] = [
  {
    name: 'webhook set',
    words: true,
    takes: 'URL [--event TYPE]… [--style standard|connections] [--env ENV]',
    help: 'Tell this URL of events (without --event: those usual of its style). For a new one the signing secret is printed, once.',
    options: {
      ...envOption,
      event: { type: 'string', multiple: true },
      style: { type: 'string', about: 'How it is told: connections for clients of the Connections API' },
    },
    run: (args, options) =>
      inEnvironment(options, async (rooms, environment) => {
        const [events, style] = [texts(options['event']), text(options['style'])]
        const { endpoint, secret } = await setEndpoint(rooms.hub.context, environment, {
          url: one(args, 'the URL of your webhook receiver'),
          ...(events.length > 0 ? { events } : {}),
          ...(style === undefined ? {} : { style }),
        })
        if (endpoint.url.startsWith('http:'))
          console.error('This is plain http: mortise dev sends there, mortise serve does not.')
        if (secret) return printSecret(secret, environment)
        console.log(`Webhooks of the environment "${environment.name}" now go to ${endpoint.url}. The secret stays.`)
      }),
  },
  {
    name: 'webhook show',
    takes: '[--env ENV] [--json]',
    help: 'Show the webhook endpoint, never its secret, and the latest deliveries.',
    options: { ...envOption, ...jsonOption },
    run: (_args, options) =>
      inEnvironment(options, async (rooms, environment) => {
        const endpoint = await endpointOf(rooms.hub.context, environment)
        const latest = endpoint ? await deliveriesOf(rooms.hub.context, environment, 10) : []
        show(options, endpoint ? { endpoint: toEndpoint(endpoint), deliveries: latest.map(toDelivery) } : null, () => {
          if (!endpoint)
            return console.log(
              `The environment "${environment.name}" has no webhook endpoint. Set one: npx mortise webhook set <url>`,
            )
          table([
            ['URL', endpoint.url],
            ['Events', endpoint.events.join(', ')],
            ['Style', endpoint.style],
            ['Since', day(endpoint.createdAt)],
          ])
          if (latest.length === 0) return console.log('\nNothing was sent yet. Try it: npx mortise webhook test')
          console.log()
          table([
            ['ID', 'CREATED', 'TYPE', 'TRIES', 'STANDING'],
            ...latest.map(each => [each.id, day(each.createdAt), each.type, String(each.tries), standing(each)]),
          ])
        })
      }),
  },
  {
    name: 'webhook rotate',
    takes: '[--env ENV]',
    help: 'Make a new signing secret and print it, once. For a day the one before signs too.',
    options: envOption,
    run: (_args, options) =>
      inEnvironment(options, async (rooms, environment) => {
        printSecret((await rotateSecret(rooms.hub.context, environment)).secret, environment)
      }),
  },
  {
    name: 'webhook test',
    takes: '[--env ENV]',
    help: 'Have the running hub send a webhook.test, and say how it went.',
    options: envOption,
    run: (_args, options) =>
      inEnvironment(options, async (rooms, environment) => {
        const id = await sendTest(rooms.hub.context, environment)
        const delivery = await tried(rooms.storage, environment.id, id)
        if (delivery?.status === 'delivered')
          return console.log(`Delivered ${id}: the receiver answered ${delivery.lastStatus}.`)
        if (delivery && delivery.tries > 0)
          throw new MortiseError('provider_unavailable', `${id} is not delivered; ${standing(delivery)}`)
        throw new MortiseError(
          'provider_unavailable',
          `${id} waits: no hub runs on this data. Start one, and it is sent at once.`,
        )
      }),
  },
  {
    name: 'webhook remove',
    takes: '[--env ENV]',
    help: 'Send no more webhooks, and forget the secret.',
    options: envOption,
    run: (_args, options) =>
      inEnvironment(options, async (rooms, environment) => {
        await removeEndpoint(rooms.hub.context, environment)
        console.log(`The environment "${environment.name}" sends no webhooks any more.`)
      }),
  },
]

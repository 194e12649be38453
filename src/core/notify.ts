/**
 * event → delivery → signed POST → next try. An event is written in the transaction of what happened (see
 * `Storage.authorize`), so it is never lost and never made up; from there on it is sent until it is heard: at least once.
 * The wire is that of the endpoint's style (see `event.ts`).
 */
import { randomBytes } from 'node:crypto'
import type { Context } from './context.ts'
import { Secret } from './credential.ts'
import type { Environment } from './environment.ts'
import { badParameter, MortiseError, toMortiseError } from './errors.ts'
import {
  type Delivery,
  type EventType,
  eventTypes,
  usualEvents,
  type WebhookEndpoint,
  type WebhookStyle,
  webhookStyles,
} from './event.ts'
import { testEvent } from './happened.ts'
import { isLoopbackHost, parseUrl } from './loopback.ts'
import { type CallResponse, retryAfter } from './ports.ts'
import type { DeliveryEnd } from './storage-webhooks.ts'

/** Milliseconds between a try and the next one: eight tries in all, then the delivery has failed. */
export const waits = [5_000, 30_000, 2 * 60_000, 10 * 60_000, 60 * 60_000, 6 * 60 * 60_000, 24 * 60 * 60_000] as const

/** The longest that a receiver's Retry-After is waited for, in milliseconds. */
const longestWait = 24 * 60 * 60_000

/** How long one try may take. The claim outlives it, so that no second process sends what is still being sent. */
const callTimeout = 10_000
const claimLength = 15_000

/** Sent at once by one process. */
const mostAtOnce = 20

/** How long the secret before a rotation still signs besides the new one, in milliseconds. */
const rotationLength = 24 * 60 * 60_000

/** 256 random bits, written as Standard Webhooks does ("Signature scheme"). */
const newSigningSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`

type SecretField = 'secret' | 'previous_secret'
const placeOf = (environmentId: number, field: SecretField) =>
  ['webhook_endpoints', String(environmentId), field] as const

export const endpointOf = (context: Context, environment: Environment): Promise<WebhookEndpoint | undefined> =>
  context.storage.endpoint(environment.id)

const mustHaveEndpoint = async (context: Context, environment: Environment): Promise<WebhookEndpoint> => {
  const endpoint = await endpointOf(context, environment)
  if (endpoint) return endpoint
  throw new MortiseError(
    'not_found',
    `The environment "${environment.name}" has no webhook endpoint. Set one first: npx mortise webhook set <url>`,
  )
}

const put = async (context: Context, endpoint: WebhookEndpoint): Promise<WebhookEndpoint> => {
  if (await context.storage.putEndpoint(endpoint)) return endpoint
  throw new MortiseError(
    'conflict',
    'The webhook endpoint was changed by somebody else at this moment. Look at it, and try again.',
  )
}

/** An absolute https URL; http only on loopback, and only where the hub is not in production. */
const endpointUrl = (context: Context, text: string): string => {
  const url = parseUrl(text)
  if (!url || !/^https?:$/.test(url.protocol) || url.href.length > 2000)
    throw badParameter(
      'url',
      'The URL of the webhook endpoint must be an absolute https URL of up to 2000 characters, like https://app.example.com/webhooks (in dev also http://localhost:3000/…)',
    )
  if (url.username !== '' || url.password !== '')
    throw badParameter(
      'url',
      'The URL of the webhook endpoint must carry no user or password. Check the signature instead: it proves who calls.',
    )
  if (text.includes('#'))
    throw badParameter('url', 'The URL of the webhook endpoint must have no fragment: no server sees it.')
  // A command may set up what `dev` runs, as with the sandbox. What `serve` calls is decided by its own policy.
  if (url.protocol === 'https:' || (context.maySandbox && isLoopbackHost(url.hostname))) return url.href
  throw badParameter(
    'url',
    context.maySandbox
      ? 'The URL of the webhook endpoint must be https (http on this machine only, and only for mortise dev).'
      : 'The URL of the webhook endpoint must be https.',
  )
}

const eventsNamed = (names: readonly string[]): readonly EventType[] => {
  for (const name of names)
    if (!(eventTypes as readonly string[]).includes(name))
      throw badParameter('events', `There is no event "${name}"; the events are: ${eventTypes.join(', ')}.`)
  if (names.length === 0)
    throw badParameter('events', `Name at least one event: ${eventTypes.join(', ')}. Or remove the webhook endpoint.`)
  return eventTypes.filter(type => names.includes(type))
}

const styleNamed = (name: string): WebhookStyle => {
  const style = webhookStyles.find(each => each === name)
  if (style) return style
  throw badParameter('style', `There is no style "${name.slice(0, 80)}"; the styles are: ${webhookStyles.join(', ')}.`)
}

export interface EndpointAsk {
  readonly url: string
  /** Undefined: those it has; of a new one, and with another style, what is usual there. */
  readonly events?: readonly string[]
  /** Undefined: the one it has; of a new one the standard. */
  readonly style?: string
}

/**
 * Sets where an environment is told of its events. A new endpoint gets a secret, which is answered this once; changing
 * URL, events or style keeps it. Throws `invalid_request` (parameter `url`, `events` or `style`), or `conflict`.
 */
export const setEndpoint = async (
  context: Context,
  environment: Environment,
  ask: EndpointAsk,
): Promise<{ readonly endpoint: WebhookEndpoint; readonly secret?: Secret }> => {
  const url = endpointUrl(context, ask.url)
  const asked = ask.events && eventsNamed(ask.events)
  const known = await endpointOf(context, environment)
  const now = context.clock.now()
  const style = ask.style === undefined ? (known?.style ?? 'standard') : styleNamed(ask.style)
  if (known) {
    const events = asked ?? (style === known.style ? known.events : usualEvents[style])
    const next = { ...known, url, events, style, revision: known.revision + 1, updatedAt: now }
    return { endpoint: await put(context, next) }
  }
  const secret = new Secret(newSigningSecret())
  const sealer = await context.sealerOf(environment.id)
  const endpoint = await put(context, {
    environmentId: environment.id,
    url,
    secret: sealer.seal(placeOf(environment.id, 'secret'), secret.reveal()),
    events: asked ?? usualEvents[style],
    style,
    revision: 1,
    createdAt: now,
    updatedAt: now,
  })
  return { endpoint, secret }
}

/** A new secret, answered this once. The one before signs besides it for a day. Throws `not_found`, or `conflict`. */
export const rotateSecret = async (
  context: Context,
  environment: Environment,
): Promise<{ readonly endpoint: WebhookEndpoint; readonly secret: Secret }> => {
  const known = await mustHaveEndpoint(context, environment)
  const sealer = await context.sealerOf(environment.id)
  const now = context.clock.now()
  const before = sealer.open(placeOf(environment.id, 'secret'), known.secret)
  const secret = new Secret(newSigningSecret())
  const endpoint = await put(context, {
    ...known,
    secret: sealer.seal(placeOf(environment.id, 'secret'), secret.reveal()),
    previous: {
      secret: sealer.seal(placeOf(environment.id, 'previous_secret'), before),
      until: new Date(now.getTime() + rotationLength),
    },
    revision: known.revision + 1,
    updatedAt: now,
  })
  return { endpoint, secret }
}

const endpointGone = 'The webhook endpoint was removed before this was delivered.'

/** Removes the endpoint and its secret; what was not delivered yet has failed. Throws `not_found`. */
export const removeEndpoint = async (context: Context, environment: Environment): Promise<void> => {
  await mustHaveEndpoint(context, environment)
  await context.storage.removeEndpoint(environment.id, endpointGone)
}

/** Sends a `webhook.test` the way that events go; answers the delivery's id, to look it up by. Throws `not_found`. */
export const sendTest = async (context: Context, environment: Environment): Promise<string> => {
  const { style } = await mustHaveEndpoint(context, environment)
  const event = testEvent(context, environment.name, context.clock.now())
  await context.storage.addDelivery(environment.id, event, style)
  context.wake()
  return event.id
}

/** The log: newest first. */
export const deliveriesOf = (context: Context, environment: Environment, limit = 50): Promise<Delivery[]> =>
  context.storage.deliveries(environment.id, limit)

/**
 * Sends a delivery once more, now, whatever became of it, under the same id. If that fails it goes on along the table of
 * waits, as far as there is more of it. Throws `not_found` where there is no such delivery, or no endpoint.
 */
export const redeliver = async (context: Context, environment: Environment, id: string): Promise<void> => {
  await mustHaveEndpoint(context, environment)
  if (!(await context.storage.redeliver(environment.id, id, context.clock.now())))
    throw new MortiseError('not_found', `There is no delivery ${id}: the log keeps them for thirty days.`)
  context.wake()
}

export interface Notifier {
  /** Claims what is due and sends it. Answers when it is on its way; `settle` waits until it has ended. */
  deliver(): Promise<void>
  settle(): Promise<void>
}

export const createNotifier = (context: Context): Notifier => {
  const { storage, clock, log } = context
  const flying = new Set<Promise<void>>()
  // Whether more may be due than could be claimed.
  let more = false

  const send = async (delivery: Delivery): Promise<void> => {
    const { environmentId, id, type, tries } = delivery
    const now = clock.now()
    // The claim would lapse before the answer, so another process may be about to send this.
    if ((delivery.claimedUntil?.getTime() ?? 0) - now.getTime() < callTimeout) return
    const end = await attempt(context, delivery, now)
    const recorded = await storage.endDelivery(environmentId, id, tries, end)
    const fields = { environment: environmentId, id, type, tries, status: end.lastStatus }
    if (!recorded) log.warn('the end of a try came too late', fields)
    else if (end.status === 'delivered') log.info('delivered', fields)
    else log.warn('a delivery failed', { ...fields, next: end.status === 'pending' ? end.at : 'none' })
  }

  return {
    async deliver() {
      const free = mostAtOnce - flying.size
      if (free <= 0) {
        more = true
        return
      }
      const now = clock.now()
      const claimed = await storage.claimDeliveries(now, new Date(now.getTime() + claimLength), free)
      more = claimed.length === free
      for (const delivery of claimed) {
        const flight: Promise<void> = send(delivery)
          // It stays claimed, and is sent again when that lapses.
          .catch(error => log.error('a try could not be recorded', { err: error, id: delivery.id }))
          .finally(() => {
            flying.delete(flight)
            if (more) context.wake()
          })
        flying.add(flight)
      }
    },
    async settle() {
      await Promise.all(flying)
    },
  }
}

/** One try: how it ended. Throws nothing but what storage throws. */
const attempt = async (context: Context, delivery: Delivery, now: Date): Promise<DeliveryEnd> => {
  const endpoint = await context.storage.endpoint(delivery.environmentId)
  if (!endpoint) return { status: 'failed', at: now, lastError: endpointGone }
  const url = new URL(delivery.url ?? endpoint.url)
  const sentTo = url.origin + url.pathname
  try {
    const secrets = await secretsOf(context, endpoint, now)
    const response = await context.call.send({
      method: 'POST',
      url: url.href,
      headers: {
        'content-type': 'application/json',
        'webhook-id': delivery.id,
        ...signed(context, delivery, secrets, now),
      },
      body: delivery.body,
      sandbox: false,
      operator: true,
      timeout: callTimeout,
    })
    return { ...judge(response, delivery.tries, context.clock.now()), sentTo, lastStatus: response.status }
  } catch (thrown) {
    const error = toMortiseError(thrown)
    if (error.code === 'internal') context.log.error('sending a delivery failed', { err: error.cause ?? error })
    return { ...again(delivery.tries, context.clock.now()), sentTo, lastError: error.message }
  }
}

const signed = (
  { sign, tellings }: Context,
  { id, style, body }: Delivery,
  secrets: readonly Secret[],
  now: Date,
): Readonly<Record<string, string>> =>
  style === 'standard'
    ? {
        'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
        'webhook-signature': sign(secrets, id, now, body),
      }
    : tellings[style].headers(secrets, body)

/** The newest first: a receiver compares with each. */
const secretsOf = async (context: Context, endpoint: WebhookEndpoint, now: Date): Promise<Secret[]> => {
  const { environmentId, secret, previous } = endpoint
  const sealer = await context.sealerOf(environmentId)
  const secrets = [sealer.open(placeOf(environmentId, 'secret'), secret)]
  if (previous && previous.until > now)
    secrets.push(sealer.open(placeOf(environmentId, 'previous_secret'), previous.secret))
  return secrets.map(each => new Secret(each))
}

const judge = (response: CallResponse, tries: number, now: Date): DeliveryEnd => {
  const { status, headers } = response
  if (status >= 200 && status < 300) return { status: 'delivered', at: now }
  if (status === 410)
    return {
      status: 'failed',
      at: now,
      lastError:
        'The receiver answered 410 Gone: it wants no more of these, so this one is not tried again. The operator must set another URL or remove the webhook endpoint.',
    }
  const lastError =
    status >= 300 && status < 400
      ? `The receiver answered ${status}, a redirect, which is not followed. The operator must set the URL to where it leads.`
      : `The receiver answered ${status}. It must answer 2xx once it has the event.`
  return { ...again(tries, now, retryAfter(headers['retry-after'], now)), lastError }
}

/** Along the table of waits; later if the receiver says so. */
const again = (tries: number, now: Date, asked = 0): DeliveryEnd => {
  const wait = waits[tries - 1]
  if (wait === undefined) return { status: 'failed', at: now }
  return {
    status: 'pending',
    at: new Date(now.getTime() + Math.max(wait, Math.min(asked * 1000, longestWait))),
  }
}

/** The webhook of S0: `connection.created`, verified, and each connection kept once. */
import type { Request, Response } from 'express'
import { Webhook } from 'standardwebhooks'
import { isObject, plain } from './alloy-http.ts'
import { setting } from './config.ts'

export interface SeenConnection {
  readonly userId: string
  readonly integrationId: string
  readonly connectionId: string
}

const most = 1000

/** Where an application of yours has its database. The same event may come twice. */
export class SeenConnections {
  readonly #seen = new Map<string, SeenConnection>()

  saveConnection(userId: string, integrationId: string, connectionId: string): void {
    this.#seen.delete(connectionId)
    this.#seen.set(connectionId, { userId, integrationId, connectionId })
    const oldest = this.#seen.keys().next().value
    if (this.#seen.size > most && oldest !== undefined) this.#seen.delete(oldest)
  }

  /** How many webhooks of other types came, and the type of the last. */
  others = 0
  lastOther = ''

  noteOther(type: string): void {
    this.others++
    this.lastOther = type
  }

  get all(): readonly SeenConnection[] {
    return [...this.#seen.values()]
  }
}

/** The verifier of ALLOY_WEBHOOK_SECRET, or undefined where none is set. Throws where it is no such secret. */
export const webhookSecret = (): Webhook | undefined => {
  const secret = setting('ALLOY_WEBHOOK_SECRET')
  if (secret === undefined) return undefined
  try {
    return new Webhook(secret)
  } catch {
    throw new Error(
      'ALLOY_WEBHOOK_SECRET is not the secret of a webhook endpoint, which begins with whsec_. Copy it from Settings → Webhooks.',
    )
  }
}

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)

/** What a sender chose, as one line of a log. */
const shortened = (given: string): string => {
  const line = plain(given).trim()
  return line.length > 80 ? `${line.slice(0, 80)}…` : line
}

/** `body` is the request's raw body: the signature is made over its bytes. https://www.standardwebhooks.com */
export const receiveWebhook = (request: Request, response: Response, seen: SeenConnections): void => {
  const body = Buffer.isBuffer(request.body) ? request.body.toString() : ''
  let event: unknown
  try {
    const verifier = webhookSecret()
    event = verifier ? verifier.verify(body, namedHeaders(request)) : JSON.parse(body)
  } catch {
    const error = setting('ALLOY_WEBHOOK_SECRET')
      ? 'The signature of this webhook is not valid, or ALLOY_WEBHOOK_SECRET is not that of the endpoint.'
      : 'The body of a webhook must be JSON.'
    response.status(400).json({ success: false, error })
    return
  }
  const type = shortened((isObject(event) && text(event['type'])) || '(no type)')
  console.log(`Webhook received: ${type} (${shortened(request.get('webhook-id') ?? 'no webhook-id')})`)
  if (isObject(event) && event['type'] === 'connection.created' && isObject(event['data'])) {
    const [connectionId, userId, integrationId] = ['connectionId', 'userId', 'integrationId'].map(name =>
      text((event as { data: Record<string, unknown> }).data[name]),
    )
    if (connectionId === undefined || userId === undefined || integrationId === undefined) {
      response.status(400).json({ success: false, error: 'The event names no connectionId, userId and integrationId.' })
      return
    }
    seen.saveConnection(userId, integrationId, connectionId)
  } else seen.noteOther(type)
  // An event of another type is fine too: a subscription may grow.
  response.json({ received: true })
}

const namedHeaders = (request: Request): Record<string, string> =>
  Object.fromEntries(
    ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map(name => [name, request.get(name) ?? '']),
  )

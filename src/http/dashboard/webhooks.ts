/** Settings → Webhooks: where the environment is told of its events, and what was sent. */
import { setTimeout } from 'node:timers/promises'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Secret } from '../../core/credential.ts'
import { MortiseError } from '../../core/errors.ts'
import { type Delivery, eventTypes, usualEvents, type WebhookEndpoint, webhookStyles } from '../../core/event.ts'
import { parseUrl } from '../../core/loopback.ts'
import {
  deliveriesOf,
  endpointOf,
  redeliver,
  removeEndpoint,
  rotateSecret,
  sendTest,
  setEndpoint,
} from '../../core/notify.ts'
import { copyable, type Html, html } from '../html.ts'
import {
  action,
  attempt,
  changing,
  confirmed,
  formOf,
  mayNot,
  type Pages,
  seeing,
  table,
  textIn,
  time,
} from './frame.ts'

const here = '/settings/webhooks'

/** How long a person waits for the end of a try, in milliseconds; the log shows it later too. */
const patience = 3000

export const webhookPages = (app: FastifyInstance, pages: Pages): void => {
  const { context } = pages.hub
  const { storage, clock } = context
  const may = pages.may(changing)

  const show = async (
    request: FastifyRequest,
    reply: FastifyReply,
    problem?: MortiseError,
    typed?: Typed,
  ): Promise<FastifyReply> => {
    const environment = await pages.environment(request)
    const endpoint = await endpointOf(context, environment)
    const deliveries = await deliveriesOf(context, environment)
    const writes = request.caller.scopes.has(changing)
    const again = writes && endpoint !== undefined
    return pages.send(request, reply, {
      place: here,
      title: 'Webhooks · Settings',
      problem,
      body: html`<h1><span class="quiet">Settings →</span> Webhooks</h1>
<p>The hub sends a signed POST to your back end when something happened, and sends it again until your back end has answered with 2xx. <a href="/docs/webhooks">Webhooks</a> says how to check the signature.</p>
${writes ? setting(endpoint, typed) : html`${endpoint && copyable('URL', withoutQuery(endpoint.url))}${mayNot(changing)}`}
${endpoint && about(endpoint, clock.now())}
${endpoint && writes ? ending(endpoint) : undefined}
<h2 id="log">Deliveries</h2>
${
  deliveries.length === 0
    ? html`<p>Nothing was sent yet. ${endpoint ? 'Send a test, or connect an account: one that is new here, since connecting the same one again repairs it and tells nothing.' : 'Set an endpoint first.'}</p>`
    : table(
        'Deliveries',
        ['Created', 'Event', 'Status', 'Tries', 'Last answer', ...(again ? ['Once more'] : [])],
        deliveries.map(each => line(each, again, clock.now())),
      )
}
${deliveries.length === 50 ? html`<p class="quiet">These are the newest fifty.</p>` : undefined}`,
    })
  }
  app.get(here, pages.may(seeing), (request, reply) => show(request, reply))

  /** The one time that a secret is shown. */
  const showSecret = (request: FastifyRequest, reply: FastifyReply, heading: string, secret: Secret) =>
    pages.send(request, reply, {
      place: here,
      title: 'Signing secret · Settings',
      body: html`<h1>${heading}</h1>
<p class="problem">This is the only time that the signing secret is shown. Copy it now to where your back end reads its secrets, and check every webhook with it.</p>
${copyable('Signing secret', secret.reveal())}
${copyable('For your .env file', `ALLOY_WEBHOOK_SECRET=${secret.reveal()}`)}
${action(`${here}/test`, 'Send test')}
<p><a href="${here}">Back to Webhooks</a></p>`,
    })

  app.post(here, may, async (request, reply) => {
    const form = formOf(request)
    const typed = { url: form.get('url') ?? '', events: form.getAll('event'), style: form.get('style') ?? 'standard' }
    return attempt(
      request,
      async () => {
        const ask = { url: textIn(form, 'url'), events: typed.events, style: typed.style }
        const { secret } = await setEndpoint(context, await pages.environment(request), ask)
        return secret ? showSecret(request, reply, 'Your webhook endpoint is set', secret) : reply.redirect(here, 303)
      },
      problem => show(request, reply, problem, typed),
    )
  })
  app.post(`${here}/rotate`, may, (request, reply) =>
    attempt(
      request,
      async () => {
        const environment = await pages.environment(request)
        const endpoint = await endpointOf(context, environment)
        // A page that is loaded again sends its form again: that must not make yet another secret.
        if (endpoint && String(endpoint.revision) !== formOf(request).get('revision'))
          throw new MortiseError(
            'conflict',
            'The webhook endpoint has changed since the page was loaded, so its secret was left as it is. Look at it, and try again.',
          )
        const { secret } = await rotateSecret(context, environment)
        return showSecret(request, reply, 'There is a new signing secret', secret)
      },
      problem => show(request, reply, problem),
    ),
  )
  app.post(`${here}/remove`, may, (request, reply) =>
    attempt(
      request,
      async () => {
        await removeEndpoint(context, await pages.environment(request))
        return reply.redirect(here, 303)
      },
      problem => show(request, reply, problem),
    ),
  )

  /** Until the delivery was tried once more than before, but no longer than a person waits. */
  const tried = async (environmentId: number, id: string, before: number): Promise<void> => {
    for (const deadline = performance.now() + patience; performance.now() < deadline; await setTimeout(50)) {
      const delivery = await storage.delivery(environmentId, id)
      if (delivery?.status !== 'pending' || (delivery.tries > before && !delivery.claimedUntil)) return
    }
  }
  app.post(`${here}/test`, may, (request, reply) =>
    attempt(
      request,
      async () => {
        const environment = await pages.environment(request)
        await tried(environment.id, await sendTest(context, environment), 0)
        return reply.redirect(`${here}#log`, 303)
      },
      problem => show(request, reply, problem),
    ),
  )
  app.post<{ Params: { id: string } }>(`${here}/deliveries/:id/send`, may, (request, reply) =>
    attempt(
      request,
      async () => {
        const environment = await pages.environment(request)
        const { id } = request.params
        const before = (await storage.delivery(environment.id, id))?.tries ?? 0
        await redeliver(context, environment, id)
        await tried(environment.id, id, before)
        return reply.redirect(`${here}#log`, 303)
      },
      problem => show(request, reply, problem),
    ),
  )
}

/** What stood in the form that was refused. */
interface Typed {
  readonly url: string
  readonly events: readonly string[]
  readonly style: string
}

/** A receiver may have a secret of its own in the query. */
const withoutQuery = (text: string): string => {
  const url = parseUrl(text)
  return url ? url.origin + url.pathname : ''
}

const styleNames: Readonly<Record<WebhookEndpoint['style'], string>> = {
  standard: 'Standard Webhooks',
  connections: 'as clients of the Connections API expect it',
}

const setting = (endpoint: WebhookEndpoint | undefined, typed: Typed | undefined): Html => {
  const url = typed?.url ?? endpoint?.url ?? ''
  const chosen: readonly string[] = typed?.events ?? endpoint?.events ?? usualEvents.standard
  const style = typed?.style ?? endpoint?.style ?? 'standard'
  return html`${endpoint ? undefined : html`<p>There is no endpoint yet. Give the URL of your receiver; its signing secret is shown once, right after.</p>`}
<form class="stack" method="post" action="${here}">
<label>URL <input type="url" name="url" required maxlength="2000" value="${url}" placeholder="https://app.example.com/webhooks"></label>
<fieldset><legend>Events</legend>
${eventTypes.map(type => html`<label><input type="checkbox" name="event" value="${type}"${chosen.includes(type) ? html` checked` : undefined}> ${type}</label>\n`)}</fieldset>
<label>Style <select name="style">${webhookStyles.map(each => html`<option value="${each}"${each === style ? html` selected` : undefined}>${styleNames[each]}</option>`)}</select></label>
<button>${endpoint ? 'Save' : 'Set endpoint'}</button>
</form>`
}

const about = (endpoint: WebhookEndpoint, now: Date): Html =>
  html`<dl>
<dt>Events</dt><dd>${endpoint.events.join(', ')}</dd>
<dt>Style</dt><dd>${styleNames[endpoint.style]}</dd>
<dt>Since</dt><dd>${time(endpoint.createdAt)}</dd>
<dt>Signing secret</dt><dd>${
    endpoint.previous && endpoint.previous.until > now
      ? html`made anew; until ${time(endpoint.previous.until)} the one before signs too`
      : 'shown when it was made, and never again'
  }</dd>
</dl>`

const ending = (endpoint: WebhookEndpoint): Html =>
  html`${action(`${here}/test`, 'Send test')}
${confirmed(
  'Rotate the secret…',
  html`A new secret is made and shown once. For a day the one before signs too, so that your back end can change over.`,
  action(`${here}/rotate`, 'Rotate the secret', { revision: String(endpoint.revision) }),
)}
${confirmed(
  'Remove the endpoint…',
  html`The hub sends no more, forgets the secret, and gives up what was not delivered yet.`,
  action(`${here}/remove`, 'Remove the endpoint'),
)}`

const standing = (delivery: Delivery, now: Date): Html =>
  delivery.status === 'delivered'
    ? html`<span class="good">delivered</span>`
    : delivery.status === 'failed'
      ? html`<span class="bad">given up</span>`
      : delivery.claimedUntil && delivery.claimedUntil > now
        ? html`being sent`
        : delivery.tries === 0
          ? html`not sent yet`
          : html`next try ${time(delivery.availableAt)}`

const line = (delivery: Delivery, again: boolean, now: Date): Html => {
  const { id, type, tries, lastStatus, lastError, sentTo, createdAt } = delivery
  const label = `Send ${type} of ${createdAt.toISOString()} again`
  return html`<td>${time(createdAt)}</td><td>${type}<br><code>${id}</code></td><td>${standing(delivery, now)}</td><td>${tries}</td>
<td>${lastError ?? lastStatus ?? (tries === 0 ? '–' : 'none yet')}${sentTo === undefined ? undefined : html`<br><span class="quiet">${sentTo}</span>`}</td>
${again ? html`<td>${action(`${here}/deliveries/${id}/send`, 'Send again', {}, label)}</td>` : undefined}`
}

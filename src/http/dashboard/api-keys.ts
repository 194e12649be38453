/** Settings → API Keys: the environment's secret keys. A key is shown once, and never again. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Secret } from '../../core/credential.ts'
import { type Environment, type Scope, type SecretKey, scopes, usualScopes } from '../../core/environment.ts'
import { badParameter, MortiseError } from '../../core/errors.ts'
import { type Caller, parseScopes, scopesText } from '../../core/keys.ts'
import { addKey, keysOf } from '../../core/setup.ts'
import { requireScope } from '../auth.ts'
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

const here = '/settings/api-keys'

/** Whether the caller may do all that a key may: only then does it make or end such a key. */
const covers = (caller: Caller, granted: readonly Scope[]): boolean => granted.every(scope => caller.scopes.has(scope))

export const apiKeyPages = (app: FastifyInstance, pages: Pages): void => {
  const { context } = pages.hub
  const { storage, clock, log } = context
  const may = pages.may(changing)

  const show = async (
    request: FastifyRequest,
    reply: FastifyReply,
    problem?: MortiseError,
    typed?: Typed,
  ): Promise<FastifyReply> => {
    const { caller } = request
    const keys = await keysOf(context, await pages.environment(request))
    const writes = caller.scopes.has(changing)
    return pages.send(request, reply, {
      place: here,
      title: 'API Keys · Settings',
      problem,
      body: html`<h1><span class="quiet">Settings →</span> API Keys</h1>
<p>Your back end sends a secret key with each call: <code>Authorization: Bearer …</code>. It never stands in a web page; for that there is <a href="/settings/embedded">Embedded</a>.</p>
${
  (await pages.keyless())
    ? html`<div class="problem"><p><strong>This hub has no key yet, and answers whoever is on this machine without one. The first key ends that, at once and for good:</strong></p>
<ul><li>every call of the API needs a key from then on, on this machine too, so your apps must send it;</li>
<li>these pages ask for a user name and a password: give the key as the user name, and leave the password empty;</li>
<li>revoking the key does not open the hub again.</li></ul></div>`
    : undefined
}
${caller.id === 'configured' ? html`<p>You signed in with the key of the setting <code>MORTISE_SECRET_KEY</code>, which is not in this list.</p>` : undefined}
${
  keys.length === 0
    ? html`<p>This environment has no key.</p>`
    : table(
        'Secret keys',
        ['Name', 'Begins with', 'Scopes', 'Created', 'Revoked'],
        keys.map(key => line(key, caller, writes)),
      )
}
<h2>Make a key</h2>
${writes ? making(caller, typed) : mayNot(changing)}`,
    })
  }
  app.get(here, pages.may(seeing), (request, reply) => show(request, reply))

  /** The one time that a key is shown. */
  const showKey = (request: FastifyRequest, reply: FastifyReply, heading: string, secret: Secret, after?: Html) =>
    pages.send(request, reply, {
      place: here,
      title: 'New key · Settings',
      body: html`<h1>${heading}</h1>
<p class="problem">This is the only time that the key is shown. Copy it now to where your back end reads its secrets.</p>
${copyable('Secret key', secret.reveal())}
${copyable('For the .env file of an app', `ALLOY_API_KEY=${secret.reveal()}`)}
${copyable('For the curl lines of these pages and the documentation', `export HUB_SECRET_KEY=${secret.reveal()}`)}
${after}
<p><a href="${here}">Back to API Keys</a></p>`,
    })

  /** A living key that the caller may end. */
  const endable = async (request: FastifyRequest, environment: Environment, id: string): Promise<SecretKey> => {
    const key = (await keysOf(context, environment)).find(each => each.id === id)
    // A page that is loaded again sends its form again: that must not make yet another key.
    if (!key || key.revokedAt !== undefined) throw noSuchKey(environment)
    for (const scope of key.scopes) requireScope(request.caller, scope)
    return key
  }

  app.post(here, may, (request, reply) => {
    const form = formOf(request)
    const typed = { name: form.get('name') ?? '', scopes: form.getAll('scope') }
    return attempt(
      request,
      async () => {
        if (typed.scopes.length === 0) throw badParameter('scope', 'Choose at least one scope for the key.')
        const granted = parseScopes(typed.scopes)
        for (const scope of granted) requireScope(request.caller, scope)
        const name = textIn(form, 'name')
        const environment = await pages.environment(request)
        // A page that is loaded again sends its form again: that must not make yet another key.
        if ((await keysOf(context, environment)).some(key => key.name === name && key.revokedAt === undefined))
          throw new MortiseError('conflict', `There is a key named "${name}" already. Give this one another name.`)
        const wasOpen = await pages.keyless()
        const { secret, key } = await addKey(context, environment, name, granted)
        log.info('made a key', { id: key.id })
        const after = wasOpen
          ? html`<h2>From now on a key is needed</h2>
<p>This was the hub's first key, so nobody is answered without one any more. Give it to your apps (the reference application reads its .env by itself). These pages ask for it too, at the next click: give the key as the user name, and leave the password empty.</p>`
          : undefined
        return showKey(request, reply, `The key "${name}" is made`, secret, after)
      },
      problem => show(request, reply, problem, typed),
    )
  })

  app.post<{ Params: { id: string } }>(`${here}/:id/revoke`, may, (request, reply) =>
    attempt(
      request,
      async () => {
        const environment = await pages.environment(request)
        const { id } = await endable(request, environment, request.params.id)
        if (!(await storage.revokeKey(environment.id, id, clock.now()))) throw noSuchKey(environment)
        log.info('revoked a key', { id })
        return reply.redirect(here, 303)
      },
      problem => show(request, reply, problem),
    ),
  )

  app.post<{ Params: { id: string } }>(`${here}/:id/rotate`, may, (request, reply) =>
    attempt(
      request,
      async () => {
        const environment = await pages.environment(request)
        const key = await endable(request, environment, request.params.id)
        const made = await addKey(context, environment, key.name, key.scopes)
        if (!(await storage.revokeKey(environment.id, key.id, clock.now()))) {
          // Somebody else was first, and has the key that takes its place.
          await storage.revokeKey(environment.id, made.key.id, clock.now())
          throw noSuchKey(environment)
        }
        log.info('rotated a key', { id: key.id, to: made.key.id })
        const after =
          key.id === request.caller.id
            ? html`<p>These pages ask for a key at the next click: give the new one as the user name, and leave the password empty.</p>`
            : undefined
        return showKey(request, reply, `The key "${key.name}" is a new one`, made.secret, after)
      },
      problem => show(request, reply, problem),
    ),
  )
}

const noSuchKey = (environment: Environment): MortiseError =>
  new MortiseError('not_found', `The environment "${environment.name}" has no living key with that id.`)

/** What stood in the form that was refused. */
interface Typed {
  readonly name: string
  readonly scopes: readonly string[]
}

const making = (caller: Caller, typed: Typed | undefined): Html => {
  const offered = scopes.filter(scope => caller.scopes.has(scope))
  const chosen: readonly string[] = typed?.scopes ?? usualScopes
  return html`<form class="stack" method="post" action="${here}">
<label>Name <input name="name" required maxlength="100" value="${typed?.name ?? ''}" placeholder="backend"></label>
<fieldset><legend>Scopes: what it may do</legend>
${offered.map(scope => html`<label><input type="checkbox" name="scope" value="${scope}"${chosen.includes(scope) ? html` checked` : undefined}> ${scope}</label>\n`)}</fieldset>
${offered.length < scopes.length ? html`<p class="quiet">A key makes keys that may do what it may itself, and no more.</p>` : undefined}
<button>Make key</button>
</form>
<p class="quiet"><a href="/docs/securing-your-instance#scopes">Keys and scopes</a> says what each allows.</p>`
}

const line = (key: SecretKey, caller: Caller, writes: boolean): Html => {
  const own = key.id === caller.id
  const refused = 'Every app that uses it is refused, at once and for good.'
  const ending =
    writes && covers(caller, key.scopes)
      ? html`${confirmed(
          'Revoke…',
          html`${own ? 'You signed in with this key: after this you need another. ' : undefined}${refused}`,
          action(`${here}/${key.id}/revoke`, 'Revoke', {}, `Revoke the key ${key.name}`),
        )}${confirmed(
          'Rotate…',
          html`A new key of the same name and scopes is made and shown once, and this one is revoked. ${refused} Flows that it began and did not redeem yet must begin again.`,
          action(`${here}/${key.id}/rotate`, 'Rotate', {}, `Rotate the key ${key.name}`),
        )}`
      : 'no'
  return html`<td>${key.name}${own ? html` <span class="quiet">(yours)</span>` : undefined}</td><td><code>${key.hint}…</code></td>
<td>${scopesText(key.scopes)}</td><td>${time(key.createdAt)}</td>
<td>${key.revokedAt ? time(key.revokedAt) : ending}</td>`
}

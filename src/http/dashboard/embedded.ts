/** Settings → Embedded: what the browser SDK needs, and who may use it. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { me, shownUserId } from '../../core/end-user.ts'
import type { AllowKind } from '../../core/environment.ts'
import { MortiseError } from '../../core/errors.ts'
import { renewJwtKey } from '../../core/jwt-key.ts'
import { normaliseAllowed } from '../../core/setup.ts'
import { endUserNamed } from '../../core/users.ts'
import { copyable, type Html, html } from '../html.ts'
import { issueJwt } from '../jwt.ts'
import { action, attempt, changing, confirmed, formOf, mayNot, type Pages, seeing, textIn, time } from './frame.ts'

const here = '/settings/embedded'

/** By the last part of their address. */
const lists: Readonly<Record<'origins' | 'redirects', { kind: AllowKind; one: string; like: string }>> = {
  origins: { kind: 'origin', one: 'Origin', like: 'https://app.example.com' },
  redirects: { kind: 'redirect', one: 'Redirect URL', like: 'https://app.example.com/connected' },
}
type List = keyof typeof lists

export const embeddedPages = (app: FastifyInstance, pages: Pages): void => {
  const { context } = pages.hub
  const { storage, dev, log, publicUrl } = context
  const may = pages.may(changing)

  const show = async (
    request: FastifyRequest,
    reply: FastifyReply,
    problem?: MortiseError,
    typed: Typed = {},
  ): Promise<FastifyReply> => {
    const environment = await pages.environment(request)
    const { scopes } = request.caller
    const writes = scopes.has(changing)
    const keys = (await storage.integrations(environment.id)).map(each => each.key)
    const connector = keys.includes('notion') ? 'notion' : (keys[0] ?? 'notion')
    // Who the users are is told to a key that may list them.
    const users = scopes.has('connections:read') ? await storage.endUsers(environment.id) : []
    const listed = async (list: List) =>
      allowList(list, await storage.allowed(environment.id, lists[list].kind), writes, typed[list])
    return pages.send(request, reply, {
      place: here,
      title: 'Embedded · Settings',
      problem,
      body: html`<h1><span class="quiet">Settings →</span> Embedded</h1>
<p>Your users connect their accounts in your own pages: the browser SDK opens a popup, and your page gets the connection id. <a href="/docs/frontend-sdk-guide">The guide</a> says all of it.</p>
${copyable('For your page', snippet(publicUrl, connector))}
<h2 id="jwt">A JWT for a user</h2>
<p>The page shows a JWT in place of a key: it says which user connects, and is good for one hour. Your back end gets one for each user from <code>GET /users/{id}/token</code>; here you make one to try things out.</p>
${
  scopes.has('connect:write')
    ? html`<form class="stack" method="post" action="${here}/jwt">
<label>User: an id, a username, or "${me}" for the environment's own <input name="user" required maxlength="255" value="${typed.user ?? me}" list="users"></label>
<datalist id="users"><option value="${me}"></option>${users.slice(0, 100).map(user => html`<option value="${user.username}"></option>`)}</datalist>
<button>Make a JWT</button>
</form>`
    : mayNot('connect:write')
}
${
  writes
    ? confirmed(
        'Renew the JWT key…',
        html`Every JWT that was given out stops working at once, in each page that has one; your back end gets new ones. Do it where a JWT has come into strange hands.`,
        action(`${here}/jwt-key`, 'Renew the JWT key'),
      )
    : undefined
}
<h2 id="origins">Allowed origins</h2>
<p>Pages of these origins may use the SDK with this environment. ${dev ? html`In <code>mortise dev</code> any page of this machine (localhost) may too.` : undefined}</p>
${await listed('origins')}
<h2 id="redirects">Allowed redirects</h2>
<p>A finished flow returns to these addresses only; the query is free. ${dev ? html`In <code>mortise dev</code> any address of this machine counts as listed, and so does any redirect URI that comes with a call of the API.` : undefined}</p>
${await listed('redirects')}
<h2 id="latest">An exchange without a code</h2>
<p>An app that lost the code can ask what became of its latest flow, and is told how it stands. If you switch this on, it is told the connection too. It is <strong>${environment.tellsLatest ? 'on' : 'off'}</strong>. Off is right where several people connect through one key: the latest may be another end user's than the one whose browser came back, and your app would then act on a stranger's account.</p>
${
  writes
    ? environment.tellsLatest
      ? action(`${here}/latest`, 'Switch off', { on: 'false' }, 'Switch off: tell the status only')
      : action(`${here}/latest`, 'Switch on', { on: 'true' }, 'Switch on: tell the latest connection too')
    : undefined
}
<h2 id="public-key">Public key</h2>
<p>It may stand in a page: it starts flows by a link (<code>/oauth/connect/…</code>), and reads nothing.</p>
${copyable('Public key', environment.publicKey)}
${writes ? undefined : mayNot(changing)}`,
    })
  }
  app.get(here, pages.may(seeing), (request, reply) => show(request, reply))

  app.post(`${here}/jwt`, pages.may('connect:write'), (request, reply) => {
    const form = formOf(request)
    return attempt(
      request,
      async () => {
        const environment = await pages.environment(request)
        const user = await endUserNamed(context, environment, textIn(form, 'user'), 'the field User')
        const { token, expiresAt } = await issueJwt(context, environment, user)
        return pages.send(request, reply, {
          place: here,
          title: 'JWT · Settings',
          body: html`<h1>A JWT for ${user.username}</h1>
<p>It is good until ${time(expiresAt)}. Until then, whoever has it connects accounts as this user, so treat it as a secret.</p>
${copyable('JWT', token)}
${copyable('In your page', `alloy.authenticate('${token}')`)}
${copyable("The user's id, for your .env file", `ALLOY_USER_ID=${shownUserId(environment.id, user.username === me ? '' : user.id)}`)}
<p><a href="${here}">Back to Embedded</a></p>`,
        })
      },
      problem => show(request, reply, problem, { user: form.get('user') ?? '' }),
    )
  })

  app.post(`${here}/jwt-key`, may, async (request, reply) => {
    const environment = await pages.environment(request)
    await renewJwtKey(context, environment)
    log.info('renewed the JWT key', { environment: environment.name })
    return reply.redirect(`${here}#jwt`, 303)
  })

  for (const list of ['origins', 'redirects'] as const) {
    const { kind } = lists[list]
    app.post(`${here}/${list}`, may, (request, reply) => {
      const form = formOf(request)
      return attempt(
        request,
        async () => {
          const url = normaliseAllowed(kind, textIn(form, 'url'))
          await storage.allow(request.caller.environmentId, kind, url)
          return reply.redirect(`${here}#${list}`, 303)
        },
        problem => show(request, reply, problem, { [list]: form.get('url') ?? '' }),
      )
    })
    app.post(`${here}/${list}/remove`, may, (request, reply) =>
      attempt(
        request,
        async () => {
          if (!(await storage.disallow(request.caller.environmentId, kind, textIn(formOf(request), 'url'))))
            throw new MortiseError('not_found', 'That is not on the list any more.')
          return reply.redirect(`${here}#${list}`, 303)
        },
        problem => show(request, reply, problem),
      ),
    )
  }

  app.post(`${here}/latest`, may, async (request, reply) => {
    await storage.setTellsLatest(request.caller.environmentId, formOf(request).get('on') === 'true')
    return reply.redirect(`${here}#latest`, 303)
  })
}

/** What stood in the form that was refused. */
type Typed = { readonly [field in List | 'user']?: string }

const allowList = (list: List, urls: readonly string[], writes: boolean, typed: string | undefined): Html => {
  const { one, like } = lists[list]
  return html`${
    urls.length === 0
      ? html`<p>None is listed.</p>`
      : html`<ul class="plain">${urls.map(url => html`<li class="row"><code>${url}</code>${writes ? action(`${here}/${list}/remove`, 'Remove', { url }, `Remove ${url}`) : undefined}</li>\n`)}</ul>`
  }
${
  writes
    ? html`<form class="row" method="post" action="${here}/${list}">
<label>${one} <input type="url" name="url" required maxlength="2000" value="${typed ?? ''}" placeholder="${like}"></label>
<button>Add</button>
</form>`
    : undefined
}`
}

const snippet = (publicUrl: string, connector: string): string => `<script src="${publicUrl}/sdk/alloy.js"></script>
<script>
  // In a click handler, with a JWT that your back end got for this user.
  function connect(jwt) {
    alloy.authenticate(jwt)
    alloy.connect('${connector}', {
      onSuccess: connectionId => console.log('Connection ID:', connectionId),
      onError: error => console.error(error.message),
      onClose: () => console.log('closed'),
    })
  }
</script>`

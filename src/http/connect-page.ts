/**
 * The page where an end user picks what to connect, and its frame in a page of the app. Clients of either dialect show it;
 * they differ in how it gets the token of its session, and in what it tells the page around it.
 */
import type { FastifyReply } from 'fastify'
import type { Context } from '../core/context.ts'
import type { Access } from './auth.ts'
import { html, policy } from './html.ts'
import { sendPage } from './pages.ts'

/** Whose pages may have a page of ours around or behind them: those that an environment lists, in dev any on this machine. */
const listed = async ({ storage, dev }: Context, environmentIds: readonly number[], local: readonly string[]) => {
  const lists = await Promise.all(environmentIds.map(id => storage.allowed(id, 'origin')))
  return [...new Set([...(dev ? local : []), ...lists.flat()])]
}

/** Where a window of ours may tell whoever opened it. In dev nobody says which page of this machine that was. */
export const tellOrigins = async (context: Context, environmentId: number): Promise<string[]> =>
  context.dev ? ['*'] : [context.publicUrl, ...(await listed(context, [environmentId], []))]

/** A page that was opened for one session, or one that could not be. */
export interface Opened {
  /** The token, as the routes that the page calls take it. */
  readonly session?: string
  /** Why there is none. */
  readonly failed?: string
  /** How the page around it is told that it is over, and under which origins that may be; absent: there is none. */
  readonly tells?: 'authenticate' | 'install'
  readonly origins: readonly string[]
  /** The page around it does not show the frame until it is told to. */
  readonly hidden: boolean
}

/** `environmentIds`: whose pages may show it in a frame; none: it is no page for frames. */
export const sendConnectPage = async (
  reply: FastifyReply,
  status: number,
  context: Context,
  { alsoKnownAs }: Access,
  environmentIds: readonly number[],
  opened?: Opened,
): Promise<FastifyReply> => {
  const { publicUrl } = context
  const around = await listed(context, environmentIds, ['http://localhost:*', 'http://127.0.0.1:*'])
  const frames = environmentIds.length === 0 ? "'none'" : ["'self'", ...around].join(' ')
  if (environmentIds.length > 0) reply.removeHeader('x-frame-options')
  const sockets = [publicUrl, ...alsoKnownAs].map(each => each.replace(/^http/, 'ws')).join(' ')
  return sendPage(
    reply,
    status,
    'Connect an account',
    html`<div id="connect" data-api="${publicUrl}"${opened && attributes(opened)}>
<h1 tabindex="-1">Connect an account</h1>
<p id="said" role="status">One moment …</p>
<ul class="plain" id="choices"></ul>
<p><button type="button" id="close" class="plain-button" hidden>Close</button></p>
<noscript><p>This page needs JavaScript.</p></noscript>
</div>
<script type="module" src="/assets/connect.js"></script>`,
    {
      bare: true,
      formsLeave: true,
      policy: `${policy.replace("frame-ancestors 'none'", `frame-ancestors ${frames}`)}; connect-src 'self' ${sockets}; form-action 'self' ${publicUrl}`,
    },
  )
}

const attributes = ({ session, failed, tells, origins, hidden }: Opened) =>
  html` data-opened data-session="${session ?? ''}" data-failed="${failed ?? ''}" data-tells="${tells ?? ''}" data-origins="${origins.join(' ')}" data-hidden="${hidden ? 'yes' : ''}"`

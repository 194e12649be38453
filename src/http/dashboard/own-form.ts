/** A form of these pages was sent by one of these pages. */
import type { FastifyRequest } from 'fastify'
import { MortiseError } from '../../core/errors.ts'
import type { Access } from '../auth.ts'

/**
 * The browser sends the key by itself, whichever page makes it send a form; so every form must show that the hub's own page
 * sent it. A browser names that page in `Origin` (Fetch §3.2) and tells in `Sec-Fetch-Site` whether it is of the same
 * origin (W3C Fetch Metadata §2.4); one of them must be there, and none may say otherwise.
 */
export const checkOwnForm = (request: FastifyRequest, access: Access): void => {
  const { origin } = request.headers
  const site = request.headers['sec-fetch-site']
  // Under any other name of this machine a page never came: it was sent on to the public URL.
  const own = origin === access.publicUrl.origin
  const proven = origin === undefined ? site === 'same-origin' : own && (site === undefined || site === 'same-origin')
  if (proven) return
  throw new MortiseError(
    'forbidden',
    "This form was not sent by one of the hub's own pages, so nothing was changed. Open the page here, and send it from there. A program uses the API instead.",
    { reason: 'origin_not_allowed' },
  )
}

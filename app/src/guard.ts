/** What every request is measured by, before any route. */
import type { NextFunction, Request, Response } from 'express'
import { answerFailure } from './answers.ts'
import { isLoopbackName } from './config.ts'

export const headers = (_request: Request, response: Response, next: NextFunction): void => {
  response.set({
    'cache-control': 'no-store',
    // Without a referrer at all, a browser sends `Origin: null` with a form (Fetch §3.2).
    'referrer-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'cross-origin-resource-policy': 'same-origin',
  })
  next()
}

/** A page of another name that resolves to this machine (DNS rebinding) must not read what is here. */
export const loopbackNamesOnly = (request: Request, response: Response, next: NextFunction): void => {
  if (isLoopbackName(hostOf(request)?.hostname ?? '')) next()
  else
    answerFailure(request, response, 403, {
      error: 'This application answers on this machine only',
      details: 'The Host header names another machine.',
      suggestion: 'Open it as http://localhost and its port.',
    })
}

/**
 * What changes something is not done for a page of another site, and a sign-in does not begin behind one: it is a
 * navigation of a whole window. A program that is no browser sends none of these headers.
 */
export const ownPagesOnly = (request: Request, response: Response, next: NextFunction): void => {
  const { origin, host } = request.headers
  const { 'sec-fetch-site': site, 'sec-fetch-mode': mode, 'sec-fetch-dest': dest } = request.headers
  const reads = request.method === 'GET' || request.method === 'HEAD'
  const free = reads && (request.path !== '/connect/notion' || (mode === 'navigate' && dest === 'document'))
  // A browser may withhold the origin, and still says in Sec-Fetch-Site that it is the same (Fetch Metadata §2.4).
  const withheld = origin === 'null' && site === 'same-origin'
  const ownOrigin = origin === undefined || withheld || origin === `http://${host}`
  const ownSite = site === undefined || site === 'same-origin' || site === 'none'
  if (free || (ownOrigin && ownSite)) next()
  else
    answerFailure(request, response, 403, {
      error: 'A page of another site sent this request',
      details: 'What changes something is asked for by the pages of this application, or by programs.',
      suggestion: 'Open the start page of this application and begin there.',
    })
}

/** The host that a request names, if it names nothing else. */
export const hostOf = (request: Request): URL | undefined => {
  const text = `http://${request.headers.host ?? ''}`
  const url = URL.canParse(text) ? new URL(text) : undefined
  return url && url.pathname === '/' && url.username === '' && url.password === '' && url.search === ''
    ? url
    : undefined
}

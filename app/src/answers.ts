/** How requests are read and failures are answered, in JSON or as a page. */
import type { Request, Response } from 'express'
import { AlloyError, messageOf } from './alloy-http.ts'
import { sendFailurePage } from './pages.ts'

/** A browser that navigates names text/html; a program that wants JSON names that. */
export const wantsHtml = (request: Request): boolean =>
  request.accepts(request.method === 'GET' ? ['html', 'json'] : ['json', 'html']) === 'html'

/** Of the routes that programs call: JSON, unless it is a browser that shows its window the answer. */
export const wantsPage = (request: Request): boolean => request.accepts(['json', 'html']) === 'html'

export interface Failure {
  readonly error: string
  readonly details?: string
  readonly suggestion?: string
}

export const sendFailure = (response: Response, status: number, failure: Failure): void => {
  response.status(status).json({ success: false, ...failure })
}

/** A page for a browser, JSON for others. */
export const answerFailure = (request: Request, response: Response, status: number, failure: Failure): void => {
  if (wantsPage(request)) sendFailurePage(response, status, failure)
  else sendFailure(response, status, failure)
}

/** What went wrong at the server behind ALLOY_BASE_URL, and which of our statuses tells it. */
export const sendThrown = (request: Request, response: Response, error: string, thrown: unknown): void => {
  const refusal = thrown instanceof AlloyError ? thrown.status : undefined
  const suggestion =
    refusal === 0
      ? 'Start the server behind ALLOY_BASE_URL, or correct ALLOY_BASE_URL in .env.'
      : refusal === 401 || refusal === 403
        ? 'Check ALLOY_API_KEY in .env. A changed file is seen without a restart.'
        : 'GET /api/diagnose says what works and what to do about the rest.'
  const status = refusal === 404 ? 404 : refusal === 400 ? 400 : refusal === undefined ? 500 : 502
  answerFailure(request, response, status, { error, details: messageOf(thrown), suggestion })
}

/** The parameters of a query, or of a body that is a form or JSON. */
export const paramsOf = (request: Request): URLSearchParams => {
  if (request.method === 'GET') return new URLSearchParams(searchOf(request))
  const body: unknown = request.body
  const fields = typeof body === 'object' && body !== null ? Object.entries(body) : []
  const params = new URLSearchParams()
  for (const [name, value] of fields)
    for (const each of Array.isArray(value) ? value : [value]) if (typeof each === 'string') params.append(name, each)
  return params
}

/** The query as it came, with its question mark; empty where there is none. */
export const searchOf = (request: Request): string => {
  const start = request.originalUrl.indexOf('?')
  return start < 0 ? '' : request.originalUrl.slice(start)
}

/** Under the name that a redirect URI has, whatever the Host header says. */
export const ownOrigin = (request: Request): string => `http://localhost:${request.socket.localPort}`

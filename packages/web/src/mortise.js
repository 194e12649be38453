// @ts-check
// The browser SDK, documented in ../index.d.ts. A hub serves it as it is, and by script.ts as a classic script.

/** @import { Alloy, Callbacks, ConnectError, Connection, ConnectOptions, Flow, SessionOptions } from '../index.d.ts' */
/** @typedef {Partial<ConnectOptions & SessionOptions> & { connectorId?: unknown }} Asked */
/** @typedef {{ hub: string, session: string, expiresAt: string, connectorId?: string | undefined }} Started */

/** The hub that served this file; unknown to a bundle. */
let home = /^(https?:.+)\/sdk\/\w+\.js(?:[?#]|$)/.exec(import.meta.url)?.[1]

/** @type {string | undefined} */
let token
/** What was wrong with the token that was given last. @type {ConnectError | undefined} */
let refused

const storageKey = 'mortise'
const backEnd =
  'your back end gets one from GET /users/{id}/token, with its API key; pass that JWT to alloy.authenticate'

/** @returns {ConnectError} */
const problem = (
  /** @type {string} */ code,
  /** @type {string} */ message,
  /** @type {unknown} */ details = undefined,
) => Object.assign(new Error(message), { name: 'ConnectError', code, ...(details === undefined ? {} : { details }) })

/** @returns {unknown} */
const decoded = (/** @type {string} */ part) => {
  try {
    return JSON.parse(atob(part.replace(/-/g, '+').replace(/_/g, '/')))
  } catch {
    return undefined
  }
}

/** A secret key by its prefix, of whatever vendor. */
const isKey = (/** @type {string} */ text) => /^([a-z]+_)?[sh]k_/.test(text)

const keyProblem = () =>
  problem('api_key_in_page', `That is an API key. It must never be in a page, where anyone can read it: ${backEnd}.`)

/** What is wrong with a token, as far as a browser can tell. No message repeats it. */
const problemOf = (/** @type {unknown} */ jwt) => {
  if (jwt === undefined || jwt === null || jwt === '') return problem('no_token', `There is no JWT: ${backEnd}.`)
  // Without a dot it is no JWT, but may be a key without a prefix.
  if (typeof jwt === 'string' && (isKey(jwt) || /^[\w-]{16,}$/.test(jwt))) return keyProblem()
  const parts = typeof jwt === 'string' ? jwt.split('.') : []
  const [header, claims] = parts.map(decoded)
  if (parts.length !== 3 || !Object(header).alg || Object(claims) !== claims)
    return problem(
      'not_a_jwt',
      `That is no JWT, but ${typeof jwt === 'string' ? 'another text' : typeof jwt}: ${backEnd}.`,
    )
  const expires = Object(claims).exp * 1000
  // Five minutes for a browser's clock that is ahead.
  if (expires < Date.now() - 300_000)
    return problem('token_expired', `This JWT expired at ${new Date(expires).toJSON()}. Get a new one: ${backEnd}.`)
  return undefined
}

/** @returns {string} */
const hubOf = (/** @type {string | undefined} */ given) => {
  const hub = given ?? home
  if (!hub)
    throw problem(
      'no_hub',
      "The hub is not known. Load this script from the hub's /sdk/alloy.js, or call alloy.setHub('https://hub.example.com').",
    )
  if (!/^https?:\/\/[^/?#]+[^?#]*$/.test(hub))
    throw problem('no_hub', `"${hub}" is no address of a hub, such as 'https://hub.example.com'.`)
  return hub.replace(/\/+$/, '')
}

/** Status 0: no hub answered, or not in JSON. @returns {Promise<{ status: number, answer: any }>} */
const ask = async (
  /** @type {string} */ url,
  /** @type {object} */ body,
  /** @type {AbortSignal} */ signal,
  /** @type {Record<string, string>} */ headers = {},
) => {
  const limit = new AbortController()
  const end = () => limit.abort()
  const timer = setTimeout(end, 40_000)
  signal.addEventListener('abort', end)
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
      credentials: 'omit',
      redirect: 'error',
      signal: limit.signal,
    })
    return { status: response.status, answer: Object(await response.json()) }
  } catch {
    return { status: 0, answer: {} }
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', end)
  }
}

const problemFrom = (/** @type {any} */ answer, /** @type {string} */ code) => {
  const { error } = answer
  const message = answer.message ?? error?.message ?? 'The hub did not say why it refused.'
  return problem(answer.code ?? error?.code ?? code, message, answer.details ?? error?.details)
}

/** Waits for the end at the hub, never at the popup: its provider may have cut that off (COOP). */
const outcome = async (
  /** @type {Started} */ { hub, session, expiresAt, connectorId },
  /** @type {AbortSignal} */ signal,
) => {
  for (let failures = 0; ; ) {
    const began = Date.now()
    const { status, answer } = await ask(`${hub}/sdk/outcome`, { session }, signal)
    signal.throwIfAborted()
    const state = status === 200 && answer.status
    if (state === 'connected') {
      const { connectionId, credentialId, integrationId } = answer
      return { connectionId, credentialId, integrationId, connectorId: connectorId ?? integrationId }
    }
    const final = state === 'failed' || (status >= 400 && status < 500 && status !== 408 && status !== 429)
    if (final || state === 'expired') throw problemFrom(answer, final ? 'internal' : 'session_expired')
    failures = state === 'pending' ? 0 : failures + 1
    // Five, in case the browser's clock is ahead.
    if (failures > 4 && !(Date.now() < Date.parse(expiresAt)))
      throw problem(
        'hub_unreachable',
        `The hub at ${hub} did not answer until the session expired. The account may be connected: look before you try again.`,
      )
    const pause = failures ? Math.min(500 * 2 ** (failures - 1), 5000) : 500 - (Date.now() - began)
    if (pause > 0) await new Promise(done => setTimeout(done, pause))
  }
}

/** An exception of the app's goes where its others go, and no further. */
const tell = (/** @type {((value: any) => unknown) | undefined} */ callback, /** @type {unknown} */ value) => {
  try {
    callback?.(value)
  } catch (error) {
    setTimeout(() => {
      throw error
    })
  }
}

/**
 * Runs a flow to its one end: a connection, an error, or neither because it was cancelled.
 * @template {Connection | undefined} Result
 * @param {Callbacks} callbacks
 * @param {(abort: AbortController) => Promise<Result>} work begins before this returns: a popup needs the click
 * @returns {Flow<Result>}
 */
const run = (callbacks, work) => {
  const abort = new AbortController()
  const cancelled = problem('cancelled', 'The flow was cancelled.')
  /** @type {Promise<Result>} */
  const ended = new Promise((resolve, reject) => {
    abort.signal.addEventListener('abort', () => reject(cancelled))
    work(abort).then(resolve, reject)
  })
  const flow = ended.then(
    result => {
      tell(callbacks.onSuccess, result?.connectionId)
      tell(callbacks.onClose, undefined)
      return result
    },
    error => {
      if (error !== cancelled) tell(callbacks.onError, error)
      tell(callbacks.onClose, undefined)
      throw error
    },
  )
  const quiet = () => void flow.catch(() => {})
  if (callbacks.onError) quiet()
  const cancel = () => {
    quiet()
    abort.abort()
  }
  return Object.assign(flow, { cancel })
}

const openPopup = () => {
  const [width, height] = [520, 720]
  const left = Math.round(screenX + (outerWidth - width) / 2)
  const top = Math.round(screenY + (outerHeight - height) / 2)
  const popup = open('', '_blank', `popup,width=${width},height=${height},left=${left},top=${top}`)
  if (!popup || popup.closed)
    throw problem(
      'popup_blocked',
      "The browser blocked the popup. Call alloy.connect from a click handler, or pass mode: 'page'.",
    )
  popup.document.title = popup.document.body.textContent = 'Connecting...'
  return popup
}

/** Sends the window of a document to the hub, with the session in no URL. */
const send = (/** @type {Document} */ page, /** @type {string} */ action, /** @type {string} */ session) => {
  // Without it a page under "no-referrer" (Helmet's default) would send "Origin: null".
  const meta = page.createElement('meta')
  Object.assign(meta, { name: 'referrer', content: 'origin' })
  page.head.append(meta)
  const form = page.createElement('form')
  const field = page.createElement('input')
  Object.assign(field, { type: 'hidden', name: 'session', value: session })
  Object.assign(form, { method: 'post', action, hidden: true })
  form.append(field)
  page.body.append(form)
  form.submit()
}

/** This page's address, without the mark of an earlier return. */
const here = () => {
  const url = new URL(location.href)
  url.hash = ''
  if (url.searchParams.has(storageKey)) url.searchParams.delete(storageKey)
  return url.href
}

/** @returns {Promise<Started & { url: string }>} */
const start = async (/** @type {Asked} */ asked, /** @type {AbortSignal} */ signal) => {
  const hub = hubOf(asked.hub)
  const { connectorId, session, params, allowDuplicate } = asked
  const returnTo = asked.returnTo ?? (asked.mode === 'page' ? here() : undefined)
  const { status, answer } = await ask(
    `${hub}/sdk/start`,
    session === undefined ? { connectorId, params, allowDuplicate, returnTo } : { session, returnTo },
    signal,
    session === undefined && token ? { 'x-alloy-user-token': token } : {},
  )
  if (!status)
    throw problem(
      'hub_unreachable',
      `No hub answered at ${hub}. Look whether it runs there, and whether it allows the origin of this page, ${origin}.`,
    )
  if (status !== 200) throw problemFrom(answer, 'internal')
  if (!answer.session || !/^https?:/.test(answer.url))
    throw problem('hub_invalid_answer', `What answers at ${hub} is no hub, or an older one. Check the address.`)
  const { url, expiresAt } = answer
  return { hub, session: answer.session, url, expiresAt, connectorId: /** @type {string | undefined} */ (connectorId) }
}

/** What can be said without asking the hub. */
const check = (/** @type {Asked} */ asked) => {
  const { connectorId, session } = asked
  const bySession = session !== undefined
  const wrong = bySession ? isKey(session) && keyProblem() : (refused ?? problemOf(token))
  if (wrong) throw wrong
  const what = bySession ? session : connectorId
  if (!what || typeof what !== 'string')
    throw problem(
      'invalid_request',
      `connect needs ${bySession ? 'the token of a session that your back end made' : "the id of a connector, such as 'notion'"}.`,
    )
  hubOf(asked.hub)
}

/** @type {Alloy['connect']} */
const connect = (/** @type {string | SessionOptions} */ target, /** @type {ConnectOptions} */ options = {}) => {
  /** @type {Asked} */
  const asked =
    Object(target) === target ? { .../** @type {SessionOptions} */ (target) } : { ...options, connectorId: target }
  return run(asked, async abort => {
    check(asked)
    const { signal } = abort
    if (asked.mode === 'page') {
      const { url, ...started } = await start(asked, signal)
      signal.throwIfAborted()
      try {
        sessionStorage.setItem(storageKey, JSON.stringify(started))
      } catch {
        throw problem(
          'storage_unavailable',
          "This browser keeps nothing for the page, which mode: 'page' needs. Use a popup.",
        )
      }
      // Back again by the browser's own button.
      addEventListener('pageshow', event => event.persisted && abort.abort())
      send(document, url, started.session)
      return new Promise(() => {})
    }
    const popup = openPopup()
    signal.addEventListener('abort', () => popup.close())
    const started = await start(asked, signal).catch(error => {
      popup.close()
      throw error
    })
    // Asked once, while the popup is still this page's own.
    if (popup.closed) abort.abort()
    signal.throwIfAborted()
    send(popup.document, started.url, started.session)
    tell(asked.onWaiting, undefined)
    const connection = await outcome(started, signal)
    // Later: Chrome loses a close, and every one after it, while the popup is just changing pages.
    setTimeout(() => popup.close(), 500)
    return connection
  })
}

/** @returns {Started | undefined} */
const stored = () => {
  try {
    const text = new URL(location.href).searchParams.has(storageKey) && sessionStorage.getItem(storageKey)
    return text ? JSON.parse(text) : undefined
  } catch {
    return undefined
  }
}

const setToken = (/** @type {string} */ jwt) => {
  const text = typeof jwt === 'string' ? jwt.trim() : jwt
  refused = problemOf(text)
  token = refused ? undefined : text
  if (refused) console.error(refused.message)
}

/** @type {Alloy} */
const alloy = {
  setToken,
  connect,
  authenticate(jwt) {
    setToken(jwt)
    const done = refused ? Promise.reject(refused) : Promise.resolve()
    // Nobody has to await: the console has it, and so has the next connect.
    done.catch(() => {})
    return done
  },
  setHub(given) {
    home = hubOf(given)
  },
  resume(callbacks = {}) {
    const started = stored()
    if (!started) return Object.assign(Promise.resolve(undefined), { cancel() {} })
    return run(callbacks, async ({ signal }) => {
      tell(callbacks.onWaiting, undefined)
      try {
        return await outcome(started, signal)
      } finally {
        sessionStorage.removeItem(storageKey)
        history.replaceState(history.state, '', here() + location.hash)
      }
    })
  },
}

export { alloy, connect }

// The connect page: shows what may be connected, and connects it. Its token never leaves this script but to the hub.
const root = document.querySelector('#connect')
const said = document.querySelector('#said')
const list = document.querySelector('#choices')
const close = document.querySelector('#close')
/** A flow begins and ends at the hub's own address, whose cookies it needs; all else is asked of where this page is from. */
const { api: hub, opened, session, failed: why, tells, origins, hidden } = root.dataset
const framed = window.parent !== window
/** The origin of the page around the frame, once it has sent the token. */
let around
let token

const tell = message => {
  if (framed && around !== undefined) window.parent.postMessage(message, around)
}

/** What another client's page takes: one message, after which it removes the frame. */
const over = {
  // Without closeModal, by which its older versions take a success for a failure.
  authenticate: id => ({ connectionStatus: 'success', connectionId: id, credentialId: id }),
  install: () => ({ workflowCreated: true }),
}
const cancelled = { closeModal: true, connectionStatus: 'failed' }
let told = false
const post = message => {
  for (const origin of origins.split(' ')) window.parent.postMessage(message, origin)
}
const tellEnd = message => {
  if (!framed || !tells || told) return
  told = true
  post(message)
}

const say = (text, mood = '') => {
  said.textContent = text
  said.className = mood
}
const make = (name, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(name), properties)
  element.append(...children)
  return element
}

const failed = (type, message) => {
  say(message, 'bad')
  tell({ type: 'error', payload: { errorType: type, errorMessage: message } })
}
const connected = (name, providerConfigKey, connectionId) => {
  list.replaceChildren()
  document.querySelector('h1').textContent = `${name} is connected`
  document.querySelector('h1').className = 'good'
  document.querySelector('h1').focus()
  say(framed ? '' : 'You can close this page and go back to the app.')
  close.textContent = 'Finish'
  tell({ type: 'connect', payload: { providerConfigKey, connectionId, isPending: false } })
  tellEnd(over[tells]?.(connectionId))
}

/** The answer of the hub, or an error with its type. */
const ask = async (path, options = {}) => {
  const answer = await fetch(path, {
    ...options,
    headers: { authorization: `Bearer ${token}`, ...options.headers },
  }).catch(() => undefined)
  if (answer === undefined) throw { type: 'unknown_error', message: 'The hub does not answer. Try again in a moment.' }
  const body = await answer.json()
  if (answer.ok) return body
  throw { type: body.error.code, message: body.error.message }
}

const valuesOf = form => Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value)]))

/** Opens the provider in a window of its own, and waits on a socket for the end. */
const authorize = (choice, form) => {
  const name = `mortise_${crypto.randomUUID()}`
  const popup = window.open('about:blank', name, 'popup,width=520,height=720')
  if (!popup)
    return failed('blocked_by_browser', 'Your browser blocked the window. Allow pop-ups for this page and try again.')
  say(`Go on in the window that has opened. If you closed it, click again.`)
  const socket = new WebSocket(location.origin.replace(/^http/, 'ws'))
  let done = false
  socket.onmessage = event => {
    const message = JSON.parse(event.data)
    if (message.message_type === 'connection_ack') {
      const fields = {
        ...valuesOf(form),
        session_token: token,
        integration: choice.key,
        ws_client_id: message.ws_client_id,
      }
      const sent = make('form', { method: 'post', action: `${hub}/connect/start`, target: name, hidden: true })
      for (const [key, value] of Object.entries(fields))
        sent.append(make('input', { type: 'hidden', name: key, value }))
      document.body.append(sent)
      sent.submit()
      sent.remove()
      return
    }
    done = true
    socket.close()
    if (message.message_type === 'success') connected(choice.name, message.provider_config_key, message.connection_id)
    else {
      failed(message.error_type, message.error_desc)
      tellEnd(cancelled)
    }
  }
  socket.onclose = () => {
    if (!done) failed('unknown_error', 'The connection to the hub was lost. Try again.')
  }
}

const give = async (choice, kind, form) => {
  const params = new URLSearchParams()
  const body = {}
  for (const [name, value] of Object.entries(valuesOf(form)))
    if (name.startsWith('params[')) params.set(name, value)
    else body[name] = value
  say('One moment …')
  try {
    const path = `/api-auth/${kind}/${encodeURIComponent(choice.key)}?${params}`
    const headers = { 'content-type': 'application/json' }
    const made = await ask(path, { method: 'POST', headers, body: JSON.stringify(body) })
    connected(choice.name, made.providerConfigKey, made.connectionId)
  } catch (error) {
    failed(error.type ?? 'unknown_error', error.message)
  }
}

const field = (title, properties) => {
  const input = make('input', { required: true, ...properties })
  return make('label', {}, `${title} `, input)
}
const inputsOf = choice =>
  choice.inputs.map(({ name, title, example }) => field(title, { name: `params[${name}]`, placeholder: example }))

/** A form that does its work here. */
const formOf = (label, fields, work) => {
  const form = make('form', {}, ...fields, make('button', { textContent: label.text, ariaLabel: label.spoken }))
  form.addEventListener('submit', event => {
    event.preventDefault()
    work(form)
  })
  return form
}

const keyForm = (choice, kind, title, fields) =>
  make(
    'details',
    {},
    make('summary', { textContent: title }),
    formOf({ text: 'Connect', spoken: `Connect ${choice.name} with this` }, [...inputsOf(choice), ...fields], form =>
      give(choice, kind, form),
    ),
  )

const row = (choice, reconnecting) => {
  const title = make('span', {}, make('strong', { textContent: choice.name }))
  if (choice.docs !== undefined)
    title.append(' ', make('a', { href: choice.docs, target: '_blank', rel: 'noreferrer', textContent: 'How?' }))
  const verb = reconnecting ? 'Connect again' : 'Connect'
  const item = make(
    'li',
    {},
    formOf({ text: verb, spoken: `${verb}: ${choice.name}` }, [title, ...inputsOf(choice)], form =>
      authorize(choice, form),
    ),
  )
  if (choice.apiKey !== undefined)
    item.append(
      keyForm(choice, 'api-key', choice.apiKey, [
        field(choice.apiKey, { name: 'apiKey', type: 'password', autocomplete: 'off' }),
      ]),
    )
  if (choice.basic !== undefined)
    item.append(
      keyForm(choice, 'basic', choice.basic, [
        field('User name', { name: 'username', autocomplete: 'off' }),
        field('Password or token', { name: 'password', type: 'password', autocomplete: 'off', required: false }),
      ]),
    )
  return item
}

const show = async () => {
  try {
    const query = around === undefined ? '' : `?origin=${encodeURIComponent(around)}`
    const { choices, reconnecting } = await ask(`/connect/choices${query}`)
    if (reconnecting) document.querySelector('h1').textContent = 'Connect your account again'
    list.replaceChildren(...choices.map(choice => row(choice, reconnecting)))
    if (choices.length > 0) return say('Pick the account that you want to connect.')
    failed(
      'unknown_error',
      'There is nothing to connect yet. The makers of the app add it at this hub: npx mortise integrations add github --client-id …',
    )
  } catch (error) {
    failed(error.type ?? 'unknown_error', error.message)
  }
}

const leave = () => {
  tell({ type: 'close' })
  tellEnd(cancelled)
  if (framed) return
  list.replaceChildren()
  say('You can close this page now.')
  window.close()
}
close.addEventListener('click', leave)
close.hidden = false
document.addEventListener('keydown', event => {
  if (event.key === 'Escape' && framed) leave()
})

if (opened !== undefined) {
  // The JWT that stood in the address is exchanged; neither the address nor the history shows it on.
  history.replaceState(null, '', location.pathname)
  if (hidden) post({ showModal: true })
  if (why) say(why, 'bad')
  else {
    // A form without its origin would be refused; there is nothing more in the address to hide.
    document.head.append(make('meta', { name: 'referrer', content: 'origin' }))
    token = session
    delete root.dataset.session
    if (!framed) sessionStorage.setItem('session', token)
    show()
  }
} else if (framed) {
  window.addEventListener('message', event => {
    const { type, sessionToken } = typeof event.data === 'object' && event.data !== null ? event.data : {}
    if (event.source !== window.parent || type !== 'session_token' || typeof sessionToken !== 'string') return
    around = event.origin
    token = sessionToken
    show()
  })
  // To whomever: it says nothing, and who may be around the frame is said by the policy of this page.
  window.parent.postMessage({ type: 'ready' }, '*')
} else {
  const given = new URLSearchParams(location.search).get('session_token')
  // The address, the history and other pages' Referer are rid of it; this tab keeps it, so that it can be reloaded.
  if (given !== null) {
    sessionStorage.setItem('session', given)
    history.replaceState(null, '', '/connect/')
  }
  token = given ?? sessionStorage.getItem('session') ?? undefined
  if (token === undefined)
    failed(
      'missing_connect_session_token',
      'This page is opened by a link of the app. Go back there and get a new one.',
    )
  else show()
}

/** An app that uses the hook, as the browser test bundles it. */
import { alloy } from '@mortise/web'
import { type ConnectState, useConnect } from '@mortise/web/react'
import { StrictMode, useEffect, useState } from 'react'
import { createRoot } from 'react-dom/client'

declare global {
  interface Window {
    /** Set by the test: where the hub is, and as whom. */
    given: { hub: string; jwt?: string; session?: string; resume?: boolean; mode?: 'page' }
    /** What the component was shown, and what the callbacks were told. */
    shown: string[]
    told: string[]
    functions: Set<unknown>
  }
}

const { hub, jwt, session, resume, mode } = window.given
window.shown = []
window.told = []
window.functions = new Set()
alloy.setHub(hub)
if (jwt !== undefined) alloy.setToken(jwt)

const textOf = (state: ConnectState): string => {
  if (state.status === 'connected') return `connected ${state.connection.connectionId}`
  if (state.status === 'failed') return `failed ${state.error.code}`
  return state.status
}

const Connect = () => {
  const { connect, cancel, ...state } = useConnect({ resume })
  const text = textOf(state)
  window.functions.add(connect).add(cancel)
  useEffect(() => void window.shown.push(text), [text])
  const callbacks = {
    onSuccess: () => window.told.push('success'),
    onError: (error: Error) => window.told.push(`error ${error.name}`),
    onClose: () => window.told.push('close'),
    onWaiting: () => window.told.push('waiting'),
  }
  const begin = () =>
    session === undefined ? connect('notion', { ...callbacks, mode }) : connect({ session, ...callbacks })
  return (
    <p>
      <output>{text}</output>
      <button type="button" onClick={begin}>
        Connect
      </button>
      <button type="button" onClick={cancel}>
        Cancel
      </button>
    </p>
  )
}

const App = () => {
  const [there, setThere] = useState(true)
  return (
    <>
      {there && <Connect />}
      <button type="button" onClick={() => setThere(false)}>
        Leave
      </button>
    </>
  )
}

const root = document.createElement('div')
document.body.append(root)
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
)

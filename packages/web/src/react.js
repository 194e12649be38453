'use client'
// @ts-check
// The React hook, documented in ../react.d.ts.
import { useEffect, useState } from 'react'
import { alloy } from './mortise.js'

/** @import { Connection, Flow, SessionOptions } from '../index.d.ts' */
/** @import { ConnectState, useConnect as UseConnect } from '../react.d.ts' */
/** @typedef {(state: ConnectState) => void} Show */

/** @type {ConnectState} */
const idle = { status: 'idle' }
/** @type {ConnectState} */
const waiting = { status: 'waiting' }

/** One flow at a time. What one still says that is not the latest is not shown. */
const flowsOf = (/** @type {Show} */ setState) => {
  /** @type {{ cancel(): void } | undefined} */
  let latest

  const stop = () => {
    const ended = latest
    latest = undefined
    ended?.cancel()
  }

  const begin = (/** @type {(show: Show) => Flow<Connection | undefined>} */ start) => {
    stop()
    const turn = { cancel() {} }
    latest = turn
    /** @type {Show} */
    const show = state => {
      if (latest === turn) setState(state)
    }
    const flow = start(show)
    turn.cancel = flow.cancel
    flow.then(
      connection => show(connection ? { status: 'connected', connection } : idle),
      error => show({ status: 'failed', error }),
    )
  }

  return {
    stop,
    resume: () => begin(show => alloy.resume({ onWaiting: () => show(waiting) })),
    actions: {
      connect(/** @type {string | SessionOptions} */ target, /** @type {object} */ options = {}) {
        const bySession = typeof target === 'object'
        const asked = /** @type {SessionOptions} */ (bySession ? target : options)
        begin(show => {
          show({ status: 'opening' })
          const told = {
            ...asked,
            onWaiting() {
              show(waiting)
              return asked.onWaiting?.()
            },
          }
          return bySession ? alloy.connect(told) : alloy.connect(target, told)
        })
      },
      cancel() {
        stop()
        setState(idle)
      },
    },
  }
}

/** @type {typeof UseConnect} */
export const useConnect = ({ resume = false } = {}) => {
  const [state, setState] = useState(/** @type {ConnectState} */ (idle))
  const [flows] = useState(() => flowsOf(setState))
  useEffect(() => {
    if (resume) flows.resume()
    return flows.stop
  }, [flows, resume])
  return { ...state, ...flows.actions }
}

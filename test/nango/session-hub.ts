/** A hub, the vendor's newest client for it, and a browser that opens a session's flow. */
import type { TestContext } from 'node:test'
import { Browser, movableClock, startTestHub, type TestHub } from '../harness.ts'
import { newKey } from '../page.ts'

export const setUp = async (t: TestContext, clock = movableClock()) => {
  const hub = await startTestHub(t, { clock })
  const { key } = await newKey(hub)
  const { Nango } = await import('nango-node-latest')
  return { hub, key, clock, nango: new Nango({ host: hub.origin, secretKey: key }) }
}
export const environmentOf = (hub: TestHub) => hub.rooms.firstEnvironment.id
export const rows = (hub: TestHub) => hub.rooms.storage.connections(environmentOf(hub), {})

/** What was asked of the hub, and refused: status and the error of the body. */
export const post = async (hub: TestHub, key: string, path: string, body: unknown) => {
  const response = await fetch(hub.origin + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return { status: response.status, body: (await response.json()) as Refused & { data: { token: string } } }
}
export interface Refused {
  readonly error: {
    readonly code: string
    readonly message: string
    readonly errors?: readonly { code: string; message: string; path: (string | number)[] }[]
  }
}

/** Opens a flow with a session's token, up to its end; the sandbox approves at once. */
export const open = async (
  hub: TestHub,
  token: string,
  integration: string,
  query: Record<string, string> = {},
  browser = new Browser(),
) => {
  hub.sandbox.set(integration, { autoApprove: true })
  const link = `${hub.origin}/oauth/connect/${integration}?${new URLSearchParams({ connect_session_token: token, ...query })}`
  const { response } = await browser.follow(link)
  return { status: response.status, text: await response.text(), browser }
}
export const asked = (browser: Browser) => new URL(browser.hops[0]?.location ?? '').searchParams

/** One hub with a key for a file of tests, its SDK, and connections made by real flows. */
import assert from 'node:assert/strict'
import { after } from 'node:test'
import { inspect } from 'node:util'
import { isMortiseError, Mortise, type MortiseError, type MortiseOptions } from '../../packages/node/src/index.ts'
import { scopes } from '../../src/core/environment.ts'
import { addKey } from '../../src/core/setup.ts'
import { Browser, startTestHub, type TestHub } from '../harness.ts'

export interface SdkHub extends TestHub {
  readonly key: string
  readonly mortise: Mortise
  /** The SDK with other options. */
  sdk(options?: MortiseOptions): Mortise
  /** Connects Notion through a session and its link, and gives the connection's id. */
  connected(username?: string): Promise<string>
  /** Opens the link of a session, as an end user does who approves or declines. */
  follow(link: string | null, how?: { readonly deny?: boolean }): Promise<void>
}

/** Stopped after the file's last test. */
export const startSdkHub = async (): Promise<SdkHub> => {
  const hub = await startTestHub({ after: end => after(end as () => Promise<void>) })
  const made = await addKey(hub.rooms.hub.context, hub.rooms.firstEnvironment, 'app', scopes)
  const key = made.secret.reveal()
  const sdk = (options: MortiseOptions = {}) => new Mortise({ url: hub.origin, key, ...options })
  const mortise = sdk()
  const follow: SdkHub['follow'] = async (link, { deny = false } = {}) => {
    hub.sandbox.set('notion', deny ? { deny: true } : { autoApprove: true, deny: false })
    const { response } = await new Browser().follow(link ?? '')
    await response.text()
  }
  return {
    ...hub,
    key,
    mortise,
    sdk,
    follow,
    async connected(username = 'someone') {
      const endUser = { username }
      const { id, link } = await mortise.connectSessions.add({ integration: 'notion', endUser, opens: 'link' })
      await follow(link)
      return mortise.connectSessions.wait(id)
    },
  }
}

/** The error that a call ends with. */
export const thrownBy = async (call: () => Promise<unknown>): Promise<MortiseError> => {
  const thrown: unknown = await call().then(
    () => assert.fail('nothing was thrown'),
    each => each,
  )
  assert.ok(isMortiseError(thrown), inspect(thrown))
  return thrown
}

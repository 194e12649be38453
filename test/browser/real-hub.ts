/** The hub itself with its sandbox, as the browser suite of the SDK needs one. */
import type { StartHub } from '../../packages/web/test/hub.ts'
import { ownUser } from '../../src/core/users.ts'
import { issueJwt } from '../../src/http/jwt.ts'
import { freePorts, startTestHub, type TestHub, tempFolder } from '../harness.ts'

export const startRealHub: StartHub = async t => {
  const dataDir = tempFolder(t)
  const env = { MORTISE_PORT: String(await freePorts()) }
  const begin = (): Promise<TestHub> => startTestHub(t, { dataDir, env })
  let hub = await begin()
  let restarted = false
  return {
    origin: hub.origin,
    async token(seconds = 3600) {
      const { context } = hub.rooms.hub
      // Issued so long ago that it has as much left as the test wants.
      const clock = { now: () => new Date(Date.now() - 3_600_000 + seconds * 1000) }
      const user = ownUser(hub.rooms.firstEnvironment)
      return (await issueJwt({ ...context, clock }, hub.rooms.firstEnvironment, user)).token
    },
    async session() {
      const answer = await fetch(`${hub.origin}/api/v1/connect-sessions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ integration: 'notion' }),
      })
      return ((await answer.json()) as { token: string }).token
    },
    async approve(popup) {
      // The sandbox went down with the hub, and forgot the page that it had shown; a provider does not.
      if (restarted) await popup.reload()
      await popup.getByRole('button', { name: 'Approve' }).click()
    },
    deny: popup => popup.getByRole('button', { name: 'Deny' }).click(),
    stop: () => hub.stop(),
    async start() {
      hub = await begin()
      restarted = true
    },
  }
}

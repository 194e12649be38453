/** Asks what is refused, and looks at how. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { errorShape } from '../../src/http/nango/shapes.ts'
import { connect, startTestHub } from '../harness.ts'
import { newKey } from '../page.ts'

export interface Told {
  readonly error: {
    readonly code: string
    readonly message: string
    readonly errors?: readonly { readonly code: string; readonly message: string; readonly path: readonly string[] }[]
    readonly payload?: unknown
  }
}

interface Ask {
  readonly method?: string
  readonly path: string
  readonly body?: unknown
  /** As it is. */
  readonly text?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** What is asked, its status and code, what its sentence says, and where the first mistake stands. */
export type Refused = readonly [ask: Ask, status: number, code: string, says: RegExp, path?: readonly unknown[]]

/** Of a hub with one connection, `1` through `github`, which is as it was when all of it was refused. */
export const checkRefused = async (t: TestContext, refusals: readonly Refused[]): Promise<void> => {
  const hub = await startTestHub(t)
  await connect(hub, 'github', { connection_id: '1' })
  const { key } = await newKey(hub)
  for (const [{ method = 'GET', path, body, text, headers }, status, code, says, at] of refusals) {
    const sent = text ?? (body === undefined ? undefined : JSON.stringify(body))
    const response = await fetch(hub.origin + path, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(sent === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(sent === undefined ? {} : { body: sent }),
    })
    const told = (await response.json()) as Told
    const shown = `${method} ${path.slice(0, 80)} ${sent?.slice(0, 100)}: ${JSON.stringify(told)}`
    assert.deepEqual([response.status, told.error.code], [status, code], shown)
    errorShape.parse(told)
    assert.match(told.error.message, says, shown)
    if (at) assert.deepEqual(told.error.errors?.[0]?.path, at, shown)
  }
  // None of them wrote anything.
  const { connections } = (await (
    await fetch(`${hub.origin}/connections`, { headers: { authorization: `Bearer ${key}` } })
  ).json()) as { connections: { connection_id: string; metadata: object; tags: object }[] }
  assert.deepEqual(
    connections.map(({ connection_id, metadata, tags }) => [connection_id, 'lost' in metadata, tags]),
    [['1', false, {}]],
  )
}

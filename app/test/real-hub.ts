/** The application beside a real hub, and a person's browser. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { Browser, getJson, startTestHub, type TestHub, tempFolder } from '../../test/harness.ts'
import { closedPort } from './process.ts'

export const html = { accept: 'text/html' }

/** A hub whose Notion approves at once, and an application with an empty .env. */
export const set = async (t: TestContext) => {
  const hub = await startTestHub(t)
  hub.sandbox.set('notion', { autoApprove: true })
  const file = join(tempFolder(t), '.env')
  writeFileSync(file, '')
  const settings = { ALLOY_BASE_URL: hub.origin, ALLOY_ENV_FILE: file, PORT: String(await closedPort()) }
  const config = { alloyApiKey: '', alloyUserId: 'me', alloyBaseUrl: hub.origin, connectionId: undefined }
  return { hub, file, settings, config }
}

export const rowsAt = async (hub: TestHub) =>
  (await getJson<{ connectionId: string }[]>(`${hub.origin}/users/me/connections`)).body

/** A browser that a person sits at: it takes pages. */
export const follow = async (
  url: string,
  browser = new Browser(),
): Promise<{ status: number; text: string; url: string }> => {
  let at = url
  for (;;) {
    const response = await browser.get(at, html)
    const next = response.headers.get('location')
    if (next === null) return { status: response.status, text: await response.text(), url: at }
    at = new URL(next, at).href
  }
}

/** A real browser for a test: the Chromium of the machine, or a reason to skip. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const executablePath = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
].find(existsSync)
const missing =
  executablePath === undefined && 'the browser suite needs Chromium. On Debian: apt-get install chromium, then npm test'

/** CI allows no skip: there, a missing browser is a failure. */
export const skip = process.env['TEST_NO_SKIP'] ? false : missing

/** Closed when the test ends. `without`: what the test runner's browser switches on and a person's does not. `args`: more. */
export const openBrowser = async (
  t: { after(end: () => Promise<void>): void },
  { without = [], args = [] }: { readonly without?: readonly string[]; readonly args?: readonly string[] } = {},
): Promise<Browser> => {
  assert.ok(executablePath, String(missing))
  const browser = await chromium.launch({
    executablePath,
    ignoreDefaultArgs: [...without],
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...args,
    ],
  })
  t.after(() => browser.close())
  return browser
}

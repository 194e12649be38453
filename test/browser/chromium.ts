/** A real browser for a test: the Chromium of the machine, or a reason to skip. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { after } from 'node:test'
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

const opened = new Map<string, Promise<Browser>>()
after(async () => {
  for (const browser of opened.values()) await (await browser).close()
})

/**
 * One browser for all tests of a file that start it alike; what a test opens there, each page with cookies of its own, is
 * closed when the test ends. `without`: what the test runner's browser switches on and a person's does not. `args`: more.
 */
export const openBrowser = async (
  t: { after(end: () => Promise<void>): void },
  { without = [], args = [] }: { readonly without?: readonly string[]; readonly args?: readonly string[] } = {},
): Promise<Browser> => {
  const name = JSON.stringify([without, args])
  const browser = opened.get(name) ?? launch(without, args)
  opened.set(name, browser)
  t.after(async () => {
    await Promise.all((await browser).contexts().map(context => context.close()))
  })
  return browser
}

const launch = (without: readonly string[], args: readonly string[]): Promise<Browser> => {
  assert.ok(executablePath, String(missing))
  return chromium.launch({
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
}

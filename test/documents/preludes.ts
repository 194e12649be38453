/** What the fragments among the fences stand in, by the fence's id. Nothing of the fence itself is changed by it. */

const express = `import express from 'express'
const app = express()
app.listen(Number(process.env.PORT), 'localhost', () => console.log('listening'))
`

export interface Prelude {
  readonly before: string
  readonly after?: string
}

/** TypeScript: the names that a fragment takes as given, and what shows its result. */
export const preludes: Readonly<Record<string, Prelude>> = {
  '000-07': {
    before: `${express}app.use(express.json())
const saveConnection = (userId: string, integrationId: string, connectionId: string) =>
  console.log('saved', userId, integrationId, connectionId)
`,
  },
  '000-08': {
    before: `import { AlloyRestClient } from './src/rest-api-example'
import { getConfig } from './src/config'
const config = getConfig()
const client = new AlloyRestClient(config.alloyApiKey, config.alloyBaseUrl, config.alloyUserId)
`,
  },
  '000-10': {
    before: `import { AlloyClient } from './src/alloy-client'
import { getConfig } from './src/config'
const alloyClient = new AlloyClient(getConfig())
`,
  },
  '001-09': { before: express },
  '002-04': { before: '', after: '\nconsole.log(connectionId)\n' },
}

/** 001-03 has one line for a page and one for a server; each is given the other's object. */
export const redirects = {
  page: { before: 'const res = { redirect() {} }\n' },
  server: {
    before: `${express}const window = { location: { href: '' } }
const oauthUrl = process.env.OAUTH_URL ?? ''
app.get('/', (req, res) => {
`,
    after: '\n})\n',
  },
} satisfies Record<string, Prelude>

/** The bare address of 002-01, which no shell can run: it stands for a browser that is sent there. */
export const address = /^http:\S+$/m

/** JavaScript of a page: what it stands in, and the button whose click it waits for, since it opens a popup. */
export const pages: Readonly<Record<string, string>> = {
  '000-05': 'first in the script of a page that has the JWT as jwtToken',
  '000-06': 'in the handler of a click, after 000-05',
  '001-11': 'in an async handler of a click, on a page that has the JWT as jwtToken',
  '003-05': 'in a module of a page that has the key as API_KEY',
}

/** Every fence that has one, for the table. */
export const withPrelude: readonly string[] = [
  ...Object.keys(preludes),
  ...Object.keys(pages),
  '001-03',
  '002-01',
].sort()

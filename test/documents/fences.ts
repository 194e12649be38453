/**
 * The code fences of the reference documents, one row each. The documents themselves are not here; each fence is, byte for
 * byte, in `fences/<id>.txt`, because what it prints is the interface that the hub answers for. A test takes its text from
 * `fence`, so a row cannot name a test that does not use it.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * `run`: as it stands; only its hosts, ports, keys, ids and codes are those of the test. `run with a prelude`: it is a
 * fragment, and `preludes.ts` lists what it stands in. `parsed as …`: it is no program, but a request that is sent, a shape
 * that a real answer is held to, or a file that is read.
 */
export type How = 'run' | 'run with a prelude' | 'parsed as HTTP' | 'parsed as JSON' | 'parsed as env'

export interface Row {
  /** `000-03`: the third fence of document 000. */
  readonly id: string
  readonly language: string
  readonly how: How
  readonly file: string
  readonly test: string
  /** Of the lines between the fence's marks, indentation kept, without the last line end. */
  readonly sha256: string
}

/** How many each document has. */
export const counts: Readonly<Record<string, number>> = { '000': 10, '001': 11, '002': 6, '003': 7, '004': 3 }

/** The relative links of the documents, by the page of the hub that each is. */
export const links: Readonly<Record<string, string>> = {
  './oauth-flow-guide.md': 'oauth-flow-guide',
  './frontend-sdk-guide.md': 'frontend-sdk-guide',
  './getting-connection-id.md': 'getting-connection-id',
  'nango-deploy/oss-instructions.md#securing-your-instance': 'securing-your-instance',
  'reference/core-concepts.md': 'core-concepts',
  'reference/core-concepts.md#metadata': 'core-concepts',
}

const folder = fileURLToPath(new URL('./fences/', import.meta.url))

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** What is kept here, by id. */
export const kept = (): Map<string, string> =>
  new Map(
    readdirSync(folder)
      .sort()
      .map(name => [name.replace(/\.txt$/, ''), readFileSync(join(folder, name), 'utf8').replace(/\n$/, '')]),
  )

/** The fences of a document's text, and its relative links. */
export const readDocument = (text: string): { fences: { language: string; text: string }[]; links: string[] } => {
  const fences: { language: string; text: string }[] = []
  let open: { language: string; lines: string[] } | undefined
  const prose: string[] = []
  for (const line of text.split('\n')) {
    const mark = /^ *```(\w*)$/.exec(line)
    if (mark && open) {
      fences.push({ language: open.language, text: open.lines.join('\n') })
      open = undefined
    } else if (mark) open = { language: mark[1] ?? '', lines: [] }
    else (open?.lines ?? prose).push(line)
  }
  assert.equal(open, undefined, 'a fence is not closed')
  const targets = [...prose.join('\n').matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target)
  return { fences, links: targets.filter(target => !/^[a-z]+:/.test(target)) }
}

/** The text of a fence, for the test that the table names. */
export const fence = (test: { readonly name: string }, id: string): string => {
  const row = rows.find(each => each.id === id)
  assert.equal(row?.test, test.name, `the table names another test for ${id}`)
  return readFileSync(join(folder, `${id}.txt`), 'utf8').replace(/\n$/, '')
}

export const rows: readonly Row[] = [
  {
    id: '000-01',
    language: 'env',
    how: 'parsed as env',
    file: 'code.test.ts',
    test: 'an .env fence is a file that the application reads, and its connection is found at the hub',
    sha256: 'e66ea61e821db2b538b6f686e7355a5b771a15b39c496e543da8a9a073a61c9b',
  },
  {
    id: '000-02',
    language: 'bash',
    how: 'run',
    file: 'commands.test.ts',
    test: 'npm run list-connections lists the connections with their ids',
    sha256: '143916a52206b7b6ddd7cde8f9c40c7da20bb234d14fbabed0c3a5b6a828b298',
  },
  {
    id: '000-03',
    language: 'typescript',
    how: 'run',
    file: 'code.test.ts',
    test: 'the REST client lists the connections of a user',
    sha256: 'ccd0259f7f422a85fa048bf92652f031fa96909c3d5635a226ad0b3f3face6dc',
  },
  {
    id: '000-04',
    language: 'typescript',
    how: 'parsed as HTTP',
    file: 'http.test.ts',
    test: 'the token endpoint answers POST with the version in the path',
    sha256: 'f05b210d00f3186518b1fe59719bd18521f26caf13c855ab7146e34ba477ef98',
  },
  {
    id: '000-05',
    language: 'javascript',
    how: 'run with a prelude',
    file: 'browser.test.ts',
    test: 'authenticate without await, then connect: the connection id is logged',
    sha256: '4de013f8369a2cc0e2d762d751333ea31e8b83e93a7437cde393c678b9a165a7',
  },
  {
    id: '000-06',
    language: 'javascript',
    how: 'run with a prelude',
    file: 'browser.test.ts',
    test: 'authenticate without await, then connect: the connection id is logged',
    sha256: 'f8a9bf2708a317fb0ed0dd4d69a4ca805c8afc4736868b1722dddb63dad1b890',
  },
  {
    id: '000-07',
    language: 'typescript',
    how: 'run with a prelude',
    file: 'code.test.ts',
    test: 'the webhook receiver is told of a connection and answers that it has received it',
    sha256: '70afd2cc51ebeb9ed13f6dba6d248db5cf37cebd3c13616a37fb9060e523ee87',
  },
  {
    id: '000-08',
    language: 'typescript',
    how: 'run with a prelude',
    file: 'code.test.ts',
    test: 'the connection status is printed, its id included',
    sha256: 'b2d1b14372d5f888c61ca8c81cc9f5b5606123401b7ee14c5d2a8567e3a2fce3',
  },
  {
    id: '000-09',
    language: 'env',
    how: 'parsed as env',
    file: 'code.test.ts',
    test: 'an .env fence is a file that the application reads, and its connection is found at the hub',
    sha256: 'e66ea61e821db2b538b6f686e7355a5b771a15b39c496e543da8a9a073a61c9b',
  },
  {
    id: '000-10',
    language: 'typescript',
    how: 'run with a prelude',
    file: 'code.test.ts',
    test: 'connectToIntegration takes a connection that works, and no other',
    sha256: 'a9954969d3e41d33308a9dc4c79ede06c0fffce3087024dec28c6583094feb62',
  },
  {
    id: '001-01',
    language: 'bash',
    how: 'run',
    file: 'http.test.ts',
    test: 'the flow is initiated and the code exchanged by curl',
    sha256: '3fd399debd324fe75b112384b572a9f9679d350a6aa11066ff2c727b7e7c508e',
  },
  {
    id: '001-02',
    language: 'json',
    how: 'parsed as JSON',
    file: 'http.test.ts',
    test: 'the flow is initiated and the code exchanged by curl',
    sha256: '2d04b52775755f49a6563ce13a0c9af6a748bfb0e95771643f7e2958a3f1f4f0',
  },
  {
    id: '001-03',
    language: 'typescript',
    how: 'run with a prelude',
    file: 'browser.test.ts',
    test: 'the browser is sent to oauthUrl, by the page or by the server',
    sha256: 'e82d3c685441c0f3d917cfbdb773554900ed66af8ef5e7cff0937a3e06a1715e',
  },
  {
    id: '001-04',
    language: '',
    how: 'parsed as HTTP',
    file: 'http.test.ts',
    test: 'the address that the browser comes back to is the one printed, and the application answers it',
    sha256: '76ce719f0e38f611b14e71f4cc75def1ad5a4bcf1c570434d1c8facd9172b21b',
  },
  {
    id: '001-05',
    language: 'bash',
    how: 'run',
    file: 'http.test.ts',
    test: 'the flow is initiated and the code exchanged by curl',
    sha256: '2ff73df8dc8ba6aab23c2cedf8eb628e8936dacbc113175248ffa652da0eebae',
  },
  {
    id: '001-06',
    language: 'json',
    how: 'parsed as JSON',
    file: 'http.test.ts',
    test: 'the flow is initiated and the code exchanged by curl',
    sha256: '86a3fa62c2606bc97861b0598be1bc5391fd2409c04adfd761a003f2a3959863',
  },
  {
    id: '001-07',
    language: 'env',
    how: 'parsed as env',
    file: 'code.test.ts',
    test: 'an .env fence is a file that the application reads, and its connection is found at the hub',
    sha256: 'b9f8ad5e7412c289d4d734b03540290b0026ed1506a5bfb557aafdf9ce0b9625',
  },
  {
    id: '001-08',
    language: 'typescript',
    how: 'run',
    file: 'code.test.ts',
    test: 'initiateOAuthFlow gives an OAuth URL that leads to a code',
    sha256: '102a72dc2bb65ed7735e7b6542baf2a7ca18d7a5e9b040a5e7727cad94317fa6',
  },
  {
    id: '001-09',
    language: 'typescript',
    how: 'run with a prelude',
    file: 'code.test.ts',
    test: 'the callback endpoint answers the connection id, and a failure with its reason',
    sha256: '365b69ef3da7a0111eef5d533191eb1a4c2a01579cd39290406f42d0bcbdf30a',
  },
  {
    id: '001-10',
    language: 'typescript',
    how: 'run',
    file: 'code.test.ts',
    test: 'the complete web server, started on a free port, connects Notion',
    sha256: '78b9d0d33b582de6d42af9fbad06d5b85166c4a67d0fcaae47ce3597f227a46e',
  },
  {
    id: '001-11',
    language: 'javascript',
    how: 'run with a prelude',
    file: 'browser.test.ts',
    test: 'await authenticate, then connect: the connection id is logged',
    sha256: '2df565568773fe2977da98b7c8b6e2e71a5db8d9d2f36a3372040a1ea8d79d31',
  },
  {
    id: '002-01',
    language: 'bash',
    how: 'run with a prelude',
    file: 'commands.test.ts',
    test: 'the running server lists the connections under /api/connections',
    sha256: 'f7616d5260938655d1e6b97dfbe93659a2699c62c130a11b7875e03f6784d03a',
  },
  {
    id: '002-02',
    language: 'env',
    how: 'parsed as env',
    file: 'code.test.ts',
    test: 'an .env fence is a file that the application reads, and its connection is found at the hub',
    sha256: '1732decce5694589b3a6b0bd28137152dda5e186f2431c0b71a847b30ec5c000',
  },
  {
    id: '002-03',
    language: 'bash',
    how: 'run',
    file: 'commands.test.ts',
    test: 'npm run server starts the web server',
    sha256: 'c26459ddc9a452783358b4c3ac5f399c6d23a48f9836ac4b49115eb54df5b7b7',
  },
  {
    id: '002-04',
    language: 'typescript',
    how: 'run with a prelude',
    file: 'code.test.ts',
    test: 'the configuration has the connection id',
    sha256: 'b9406a6dc04102f056d2c80edc66d9504220657b8cbb0e1a9a38dfb25e4c2778',
  },
  {
    id: '002-05',
    language: 'env',
    how: 'parsed as env',
    file: 'code.test.ts',
    test: 'an .env fence is a file that the application reads, and its connection is found at the hub',
    sha256: '1732decce5694589b3a6b0bd28137152dda5e186f2431c0b71a847b30ec5c000',
  },
  {
    id: '002-06',
    language: 'bash',
    how: 'run',
    file: 'commands.test.ts',
    test: 'npm run server starts the web server',
    sha256: '1a519ef9a9b1a0897e2ecf6e0a22dbf6e55f9103e496e36931d2ffca88559b9c',
  },
  {
    id: '003-01',
    language: '',
    how: 'parsed as HTTP',
    file: 'http.test.ts',
    test: 'the token endpoint answers GET with the version in a header',
    sha256: '5ba7ed4c0cd6f6b28ae6677f14875cf553bcc0cfe09d6fe468101c464ab2a656',
  },
  {
    id: '003-02',
    language: 'bash',
    how: 'run',
    file: 'commands.test.ts',
    test: 'npm run get-jwt-token prints a JWT',
    sha256: 'dac1dc3db3880ee2f1db8be24c7230fcf08e70f171c5ed921b1a90eaec05a624',
  },
  {
    id: '003-03',
    language: 'bash',
    how: 'run',
    file: 'commands.test.ts',
    test: 'npm run initiate-oauth, test-oauth and list-connections, one after the other',
    sha256: 'e08d7c27118b619e4d29f635ca77d1c5b321741741bf219d630b3e55e7d2b511',
  },
  {
    id: '003-04',
    language: 'bash',
    how: 'run',
    file: 'http.test.ts',
    test: 'the JWT is got by curl',
    sha256: '270d445dc71e3847dbb467564674eb0df5b094c6ab678acc5924e2c45ea834e2',
  },
  {
    id: '003-05',
    language: 'javascript',
    how: 'run with a prelude',
    file: 'browser.test.ts',
    test: 'an API key in a page is refused before any request',
    sha256: '4a47afcf3f0c94b8c694b4d43b6f0dfd27bfa0d939ea9126a95c3923c3157765',
  },
  {
    id: '003-06',
    language: 'bash',
    how: 'run',
    file: 'commands.test.ts',
    test: 'npm run initiate-oauth, test-oauth and list-connections, one after the other',
    sha256: 'cadf311e88d4a038d327b79166f82e3ce510b97375ed7570272e99b26f1bce4f',
  },
  {
    id: '003-07',
    language: 'bash',
    how: 'run',
    file: 'commands.test.ts',
    test: 'npm run get-jwt-token prints a JWT',
    sha256: 'dac1dc3db3880ee2f1db8be24c7230fcf08e70f171c5ed921b1a90eaec05a624',
  },
  {
    id: '004-01',
    language: 'js',
    how: 'parsed as JSON',
    file: 'http.test.ts',
    test: 'the connection object has the keys and types that are printed',
    sha256: '5635e2e4b1ad84fda572336b3787c38ed687597d8d0908df2978de8f9ee31c8d',
  },
  {
    id: '004-02',
    language: 'js',
    how: 'parsed as JSON',
    file: 'http.test.ts',
    test: 'the lists of connections have the keys and types that are printed',
    sha256: '5b76fee75ae07e5eea860e53a0b52dda21a98dee8cadc9b77a5839b1d0a13def',
  },
  {
    id: '004-03',
    language: 'js',
    how: 'parsed as JSON',
    file: 'http.test.ts',
    test: 'the lists of connections have the keys and types that are printed',
    sha256: 'b22d69e6994c96fe70de19df15536b2c65d91cea70919a2e507d9151666090ef',
  },
]

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, type TestContext, test } from 'node:test'
import { SetupError } from '../core/errors.ts'
import { loadCatalogue, ownFolder, readFolders, readProvider } from './catalogue.ts'
import { providersPage } from './providers-page.ts'
import { problemText } from './yaml-file.ts'

const good = `name: Acme
docs:
  - https://docs.acme.example/oauth
auth: oauth2
api:
  base: https://api.acme.example
authorize:
  url: https://acme.example/authorize
token:
  url: https://acme.example/token
  client: body
`

/** The file with one piece of its text changed; every piece must be there. */
const changed = (...pieces: readonly [from: string, to: string][]): string =>
  pieces.reduce((text, [from, to]) => {
    assert.ok(text.includes(from), from)
    return text.replace(from, to)
  }, good)

/** What is wrong with a file, as it is printed. */
const problemsOf = (text: string, file = 'dir/acme.yaml'): string[] => {
  const read = readProvider(file, text)
  return 'problems' in read ? read.problems.map(problemText) : []
}

const folderOf = (t: TestContext, files: Record<string, string>): string => {
  const folder = mkdtempSync(join(tmpdir(), 'mortise-providers-'))
  t.after(() => rmSync(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

suite('a provider file', () => {
  test('becomes a provider named after the file, with its defaults', () => {
    const read = readProvider('dir/acme-eu.yaml', good)
    assert.ok('provider' in read)
    const { provider } = read
    assert.equal(provider.id, 'acme-eu')
    assert.ok(provider.auth === 'oauth2')
    assert.equal(provider.authorize.pkce, 'S256')
    assert.equal(provider.token.body, 'form')
    assert.deepEqual(provider.token.answer.accessToken, 'access_token')
    assert.equal(provider.api.prefix, 'Bearer ')
    assert.equal(provider.refresh, undefined)
  })

  for (const [what, text, problems] of [
    [
      'an unknown key, at the key',
      changed(['  client: body\n', '  client: body\n  clent: basic\n']),
      ['dir/acme.yaml:12: token.clent: is not a key of the schema'],
    ],
    ['an unknown key at the top', `${good}colour: red\n`, ['dir/acme.yaml:12: colour: is not a key of the schema']],
    [
      'every unknown key, each at its line',
      changed(['auth:', 'one: 1\nauth:'], ['token:\n', 'token:\n  two: 2\n']),
      ['dir/acme.yaml:11: token.two: is not a key of the schema', 'dir/acme.yaml:4: one: is not a key of the schema'],
    ],
    [
      'a value of the wrong type',
      changed(['name: Acme', 'name: 7']),
      ['dir/acme.yaml:1: name: Invalid input: expected string, received number'],
    ],
    [
      'a value that is none of those allowed',
      changed(['client: body', 'client: query']),
      ['dir/acme.yaml:11: token.client: Invalid option: expected one of "basic"|"body"'],
    ],
    [
      'a value in a list',
      changed(['  - https://docs.acme.example/oauth', '  - https://docs.acme.example/oauth\n  - nowhere']),
      ['dir/acme.yaml:4: docs.1: Invalid URL'],
    ],
    [
      'a key that is missing, at what should hold it',
      changed(['  base: https://api.acme.example\n', '  prefix: x\n']),
      ['dir/acme.yaml:5: api.base: Invalid input: expected string, received undefined'],
    ],
    [
      'a URL that is not https',
      changed(['url: https://acme.example/token', 'url: http://acme.example/token']),
      [
        'dir/acme.yaml:10: token.url: an absolute https: URL (http: only on localhost, 127.0.0.1 or [::1]), or ${config.x} with perhaps a path',
      ],
    ],
    [
      'a variable declared nowhere',
      changed(['https://api.acme.example', 'https://api.acme.example/${config.team}']),
      ['dir/acme.yaml:6: api.base: uses ${config.team}, which is declared nowhere'],
    ],
    [
      'a setting declared nowhere, even if it is a param',
      `${changed(['https://api.acme.example', 'https://api.acme.example/${settings.team}'])}params:\n  team: { title: Team, kind: segment }\n`,
      ['dir/acme.yaml:6: api.base: uses ${settings.team}, which is declared nowhere'],
    ],
    [
      'a variable declared nowhere that every object has',
      changed(['https://api.acme.example', 'https://api.acme.example/${config.constructor}']),
      ['dir/acme.yaml:6: api.base: uses ${config.constructor}, which is declared nowhere'],
    ],
    [
      'a malformed variable',
      changed(['https://api.acme.example', 'https://api.acme.example/${team}']),
      ['dir/acme.yaml:6: api.base: holds a malformed ${…}'],
    ],
    [
      'a label in a host without a suffix',
      `${changed(['https://api.acme.example', 'https://${config.team}/api'])}params:\n  team: { title: Team, kind: label }\n`,
      ['dir/acme.yaml:6: api.base: a label in a host must be followed by a fixed suffix, like .example.com'],
    ],
    [
      'a label in a host before a top-level domain alone',
      `${changed(['https://api.acme.example', 'https://${config.team}.com'])}params:\n  team: { title: Team, kind: label }\n`,
      ['dir/acme.yaml:6: api.base: a label in a host must be followed by a fixed suffix, like .example.com'],
    ],
    [
      'a segment in a host',
      `${changed(['https://api.acme.example', 'https://${config.team}.acme.example'])}params:\n  team: { title: Team, kind: segment }\n`,
      ['dir/acme.yaml:6: api.base: ${config.team} is a segment and may not stand there in a host'],
    ],
    [
      'a whole host that the caller would give',
      `${changed(['https://api.acme.example', 'https://${config.host}'])}params:\n  host: { title: Host, kind: host }\n`,
      ['dir/acme.yaml:6: api.base: ${config.host} is a host and may not stand there in a host'],
    ],
    [
      'a setting that is a whole host and stands in part of one',
      `${changed(['https://api.acme.example', 'https://api.${settings.host}'])}settings:\n  host: { title: Host, kind: host }\n`,
      ['dir/acme.yaml:6: api.base: ${settings.host} is a host and may not stand there in a host'],
    ],
    [
      'a kept URL without host suffixes',
      `${changed(['https://api.acme.example', '${config.instance}/api'])}config:\n  instance: { path: instance_url }\n`,
      ['dir/acme.yaml:13: config.instance: stands in a URL, so its host suffixes must be named'],
    ],
    [
      'an identity call to a host that is not named',
      `${good}identity:\n  account: id\n  person: id\n  request:\n    url: https://whoami.example/me\n`,
      ['dir/acme.yaml:16: identity.request.url: its host is neither that of the API, nor named in api.hosts'],
    ],
    [
      'an identity that tells of no person',
      `${good}identity:\n  account: id\n`,
      [
        'dir/acme.yaml:12: identity: must name the person who authorised, or say `shared: true` where the token belongs to none',
      ],
    ],
    [
      'an introspection at a host that is not named',
      `${good}introspect:\n  client: body\n  url: https://look.example/introspect\n`,
      ['dir/acme.yaml:14: introspect.url: its host is neither that of the API, nor named in api.hosts'],
    ],
    [
      'an introspection that is not https',
      `${good}introspect:\n  client: body\n  url: http://acme.example/introspect\n`,
      [
        'dir/acme.yaml:14: introspect.url: an absolute https: URL (http: only on localhost, 127.0.0.1 or [::1]), or ${config.x} with perhaps a path',
      ],
    ],
    [
      'an introspection at a variable declared nowhere',
      `${good}introspect:\n  client: body\n  url: https://acme.example/\${config.team}/introspect\n`,
      ['dir/acme.yaml:14: introspect.url: uses ${config.team}, which is declared nowhere'],
    ],
    [
      'an introspection at a host that the caller would give',
      `${good}params:\n  team: { title: Team, kind: label }\nintrospect:\n  client: body\n  url: https://\${config.team}.com/introspect\n`,
      [
        'dir/acme.yaml:16: introspect.url: a label in a host must be followed by a fixed suffix, like .example.com',
        'dir/acme.yaml:16: introspect.url: its host is neither that of the API, nor named in api.hosts',
      ],
    ],
    [
      'an introspection without a client that may ask',
      `${good}introspect:\n  url: https://acme.example/introspect\n  client: none\n`,
      ['dir/acme.yaml:14: introspect.client: Invalid option: expected one of "basic"|"body"'],
    ],
    [
      'a token shown as metadata',
      `${good}metadata:\n  fine: team\n  leak: access_token\n  two: [nothing, refresh_token]\n  who: id_token\n`,
      [
        'dir/acme.yaml:14: metadata.leak: would show access_token, which holds a token, in clear',
        'dir/acme.yaml:15: metadata.two: would show refresh_token, which holds a token, in clear',
        'dir/acme.yaml:16: metadata.who: would show id_token, which holds a token, in clear',
      ],
    ],
    [
      'a token kept in the configuration, by its own path or what holds it',
      `${changed(['  client: body\n', '  client: body\n  answer: { accessToken: [access_token, user.access_token] }\n'])}config:\n  one: { path: user.access_token }\n  all: { path: user }\n`,
      [
        'dir/acme.yaml:14: config.one: would show user.access_token, which holds a token, in clear',
        'dir/acme.yaml:15: config.all: would show user, which holds a token, in clear',
      ],
    ],
    [
      'a name both asked for and kept',
      `${good}params:\n  team: { title: Team, kind: label }\nconfig:\n  team: { path: team }\n`,
      ['dir/acme.yaml:15: config.team: is asked for in params already'],
    ],
  ] as const)
    test(`is refused for ${what}`, () => {
      assert.deepEqual(problemsOf(text).sort(), [...problems].sort())
    })

  test('may have tokens introspected at the API’s host, the token endpoint’s, or the kept one', () => {
    for (const url of ['https://api.acme.example/introspect', 'https://acme.example/introspect'])
      assert.deepEqual(problemsOf(`${good}introspect:\n  url: ${url}\n  client: basic\n`), [], url)
    const kept = changed(['https://api.acme.example', '${config.instance}'])
    assert.deepEqual(
      problemsOf(
        `${kept}config:\n  instance: { path: instance_url, host: [.acme.example] }\nintrospect:\n  url: \${config.instance}/introspect\n  client: body\n`,
      ),
      [],
    )
  })

  test('of OAuth 1 has its own keys, and none of the other protocol', () => {
    const text = [
      'name: Acme',
      'docs: [https://docs.acme.example/oauth]',
      'auth: oauth1',
      'signature: PLAINTEXT',
      'api: { base: https://api.acme.example }',
      "temporary: { url: 'https://acme.example/temporary' }",
      'authorize: { url: https://acme.example/authorize }',
      'token: { url: https://acme.example/token }',
      '',
    ].join('\n')
    const read = readProvider('dir/acme.yaml', text)
    assert.ok('provider' in read && read.provider.auth === 'oauth1')
    assert.deepEqual(read.provider.temporary, { url: 'https://acme.example/temporary', method: 'POST' })
    assert.equal(read.provider.refresh, undefined)
    for (const [from, to, problem] of [
      ['oauth1', 'oauth3', '3: auth: must be oauth2 or oauth1'],
      ['PLAINTEXT', 'RSA-SHA1', '4: signature: Invalid option: expected one of "HMAC-SHA1"|"HMAC-SHA256"|"PLAINTEXT"'],
      [
        'signature:',
        'signatur:',
        '1: signature: Invalid option: expected one of "HMAC-SHA1"|"HMAC-SHA256"|"PLAINTEXT"',
      ],
      [
        '{ url: https://acme.example/token }',
        '{ url: https://acme.example/token, client: basic }',
        '8: token.client: is not a key of the schema',
      ],
      [
        'https://acme.example/temporary',
        'http://acme.example/temporary',
        '6: temporary.url: an absolute https: URL (http: only on localhost, 127.0.0.1 or [::1]), or ${config.x} with perhaps a path',
      ],
      [
        'https://acme.example/temporary',
        'https://${config.shop}.acme.example/t',
        '6: temporary.url: uses ${config.shop}, which is declared nowhere',
      ],
      ['token: {', 'refresh: { rotates: true }\ntoken: {', '8: refresh: is not a key of the schema'],
      [
        'token: {',
        'metadata: { x: oauth_token_secret }\ntoken: {',
        '8: metadata.x: would show oauth_token_secret, which holds a token, in clear',
      ],
    ] as const)
      assert.equal(problemsOf(text.replace(from, to))[0], `dir/acme.yaml:${problem}`)
  })

  test('is refused for a key that stands there twice, at the second', () => {
    assert.deepEqual(problemsOf(`${good}name: Again\n`), ['dir/acme.yaml:12: Map keys must be unique'])
  })

  test('is refused for bad YAML, at its line', () => {
    for (const [text, line] of [
      [changed(['auth: oauth2', 'auth: [oauth2']), 5],
      // An open quote is missed where the file ends.
      [changed(['auth: oauth2', 'auth: "oauth2']), 12],
      [changed(['  base:', '\tbase:']), 6],
      [changed(['auth: oauth2', 'auth: a: b']), 4],
      [changed(['auth: oauth2', 'auth: *nobody']), 4],
      [`${good}---\n${good}`, 12],
    ] as const) {
      const [problem = '', ...more] = problemsOf(text)
      assert.ok(problem.startsWith(`dir/acme.yaml:${line}: `), problem)
      assert.deepEqual(more, [])
    }
  })

  test('is refused when it is empty or no map', () => {
    for (const text of ['', '# nothing\n', 'null\n', '- a\n', 'text\n', '7\n']) {
      const problems = problemsOf(text)
      assert.equal(problems.length, 1, JSON.stringify(text))
      assert.match(problems[0] ?? '', /^dir\/acme\.yaml:1: Invalid input: expected object/)
    }
  })

  test('is refused for its name', () => {
    for (const file of ['Acme.yaml', 'acme_eu.yaml', '-acme.yaml', 'acme-.yaml', 'ac me.yaml', 'a.b.yaml', '.yaml'])
      assert.deepEqual(problemsOf(good, `dir/${file}`), [
        `dir/${file}:1: the file name must be lower-case words joined by hyphens`,
      ])
  })

  test('may show a fact beside a token, or a claim of the ID token', () => {
    const shown = 'metadata:\n  team: authed_user.id\n  person: id_token.sub\n  expires: expires_in\n'
    assert.deepEqual(problemsOf(`${good}${shown}`), [])
    assert.deepEqual(problemsOf(`${good}identity:\n  account: shop.id\n  shared: true\n`), [])
  })

  test('may ask who it is at the API’s host, the token endpoint’s, one that is named, or the kept one', () => {
    for (const url of ['https://api.acme.example/me', 'https://acme.example/me', 'https://eu.id.example/me'])
      assert.deepEqual(
        problemsOf(
          `${changed(['  base: https://api', "  hosts: ['*.id.example']\n  base: https://api"])}identity:\n  account: id\n  person: id\n  request:\n    url: ${url}\n`,
        ),
        [],
        url,
      )
    const kept = changed(['https://api.acme.example', '${config.instance}'])
    assert.deepEqual(
      problemsOf(
        `${kept}config:\n  instance: { path: instance_url, host: [.acme.example] }\nidentity:\n  account: id\n  person: id\n  request:\n    url: \${config.instance}/me\n`,
      ),
      [],
    )
  })
})

suite('the catalogue', () => {
  test('has its providers in the order of their ids', () => {
    const ids = loadCatalogue()
      .list()
      .map(each => each.id)
    const first = 'github gitlab google google-drive hubspot microsoft notion salesforce shopify slack xero zendesk'
    for (const id of first.split(' ')) assert.ok(ids.includes(id), id)
    assert.deepEqual(ids, [...ids].sort())
    assert.equal(loadCatalogue().get('notion')?.name, 'Notion')
    assert.equal(loadCatalogue().get('nobody'), undefined)
  })

  test('is listed in the documents, whole', () => {
    const page = readFileSync(join(ownFolder, '../docs/providers.md'), 'utf8')
    assert.equal(page, providersPage(loadCatalogue().list()), 'run `npm run schema`')
  })

  test('has no problem in its own folder', () => {
    assert.deepEqual(readFolders([ownFolder]).problems.map(problemText), [])
  })

  test('takes the operator’s files, which replace its own of the same name', t => {
    const folder = folderOf(t, { 'acme.yaml': good, 'github.yaml': changed(['name: Acme', 'name: Our GitHub']) })
    const catalogue = loadCatalogue(folder)
    assert.equal(catalogue.get('acme')?.name, 'Acme')
    assert.equal(catalogue.get('github')?.name, 'Our GitHub')
    assert.equal(catalogue.get('github')?.token.url, 'https://acme.example/token')
    assert.equal(catalogue.list().filter(each => each.id === 'github').length, 1)
    assert.equal(catalogue.get('gitlab')?.name, 'GitLab')
  })

  test('leaves files alone that are no provider definitions', t => {
    const folder = folderOf(t, { 'README.md': '#', 'acme.actions.yaml': 'x', 'acme.json': '{}', 'acme.yaml.bak': '' })
    assert.deepEqual(readFolders([folder]), { providers: [], problems: [] })
  })

  test('refuses a file that ends in .yml, which would else be overlooked', t => {
    const folder = folderOf(t, { 'acme.yml': good })
    const { problems } = readFolders([folder])
    assert.deepEqual(problems.map(problemText), [`${join(folder, 'acme.yml')}:1: must end in .yaml`])
  })

  test('does not load with a mistake in it, and tells of every one at once', t => {
    const folder = folderOf(t, {
      'acme.yaml': changed(['client: body', 'client: query']),
      'bad.yaml': 'name: [',
      'other.yml': good,
    })
    assert.throws(
      () => loadCatalogue(folder),
      (error: unknown) => {
        assert.ok(error instanceof SetupError)
        const [title, ...lines] = error.message.split('\n')
        assert.equal(title, 'Provider files with mistakes:')
        for (const start of ['acme.yaml:11: token.client: ', 'bad.yaml:', 'other.yml:1: must end in .yaml'])
          assert.ok(
            lines.some(line => line.startsWith(join(folder, start))),
            start,
          )
        return true
      },
    )
  })
})

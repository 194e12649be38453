/** The commands that call a hub, as a person at a terminal uses them: each mistake is answered by what to do. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Browser, freePorts, startTestHub, type TestHub, tempFolder } from './harness.ts'
import { command, mortise, said, startProcess } from './process.ts'

const settingsOf = (hub: TestHub, more: Record<string, string> = {}) => ({
  MORTISE_PORT: new URL(hub.origin).port,
  // Nothing of the hub's is here: all that is learned comes over HTTP.
  MORTISE_DATA_DIR: '/nowhere',
  ...more,
})

const linkPattern = /^ {2}(http\S+\/start\?token=\S+)$/m

test('start, add an integration, connect, list, show, delete: as the README says', async t => {
  const folder = tempFolder(t)
  const settings = { MORTISE_PORT: String(await freePorts()), MORTISE_DATA_DIR: join(folder, 'data') }
  const run = async (args: string[], code = 0, input = '') => {
    const ended = await mortise(args, settings, input)
    assert.equal(ended.code, code, `${args.join(' ')}: ${ended.stderr}`)
    return ended
  }
  const before = await run(['connections', 'list'], 5)
  assert.match(before.stderr, /No hub answers at http:\/\/localhost:\d+\. Start one here: npx mortise dev/)
  const hub = await startProcess(t, 'dev', settings)
  assert.match((await run(['connections', 'list'])).stdout, /no connection yet.*npx mortise connect/)
  const added = await run(['integrations', 'add', 'desk', '--provider', 'zendesk', '--sandbox'])
  assert.match(
    added.stdout,
    /Added the integration "desk".*\n.*next start of mortise dev.*\n.*npx mortise connect desk/,
  )
  // The sandbox plays it from its next start on.
  hub.child.kill('SIGTERM')
  await hub.ended
  await startProcess(t, 'dev', settings)
  assert.match((await run(['connect', 'desk'], 2)).stderr, /asks for .*subdomain: give --param subdomain=/i)
  const envFile = join(folder, 'app.env')
  writeFileSync(envFile, '# mine\nA=1\nCONNECTION_ID=old # kept\nB="two\nlines"\n', { mode: 0o640 })
  const connecting = command(t, ['connect', 'desk', '--param', 'subdomain=acme', `--write-env=${envFile}`], settings)
  const link = await said(() => connecting.output.stderr, linkPattern)
  const browser = new Browser()
  const page = await browser.follow(link)
  await said(() => connecting.output.stderr, /The link was opened/)
  // The page of the sandbox has a form for each account.
  const html = await page.response.text()
  const form = Object.fromEntries(
    [...html.matchAll(/<input type="(?:hidden|radio)" name="(\w+)" value="([^"]*)"/g)].map(match => [
      match[1] ?? '',
      match[2] ?? '',
    ]),
  )
  const action = /<form[^>]* action="([^"]+)"/.exec(html)?.[1] ?? ''
  const approve = /<button[^>]* name="(\w+)" value="(\w+)"/.exec(html)
  const answered = await browser.post(new URL(action, page.url).href, {
    ...form,
    [approve?.[1] ?? 'x']: approve?.[2] ?? '',
  })
  await browser.follow(new URL(answered.headers.get('location') ?? '', page.url).href)
  assert.equal(await connecting.ended, 0, connecting.output.stderr)
  const id = connecting.output.stdout.trim()
  assert.match(id, /^conn_[0-9a-f]{24}$/)
  assert.equal(readFileSync(envFile, 'utf8'), `# mine\nA=1\nCONNECTION_ID=${id} # kept\nB="two\nlines"\n`)
  assert.equal(statSync(envFile).mode & 0o777, 0o640)
  const listed = (await run(['connections', 'list'])).stdout
  assert.match(
    listed,
    new RegExp(`^CONNECTION +INTEGRATION +END USER +STATUS +ACCOUNT +CREATED\n${id} +desk +me +connected`),
  )
  assert.match((await run(['connections', 'show', id])).stdout, /Integration +desk \(zendesk\)\nStatus +connected/)
  const json = JSON.parse((await run(['connections', 'show', id, '--json'])).stdout)
  assert.deepEqual([json.id, json.config], [id, { subdomain: 'acme' }])
  assert.match((await run(['integrations', 'remove', 'desk'], 1)).stderr, /Connections stand on the integration "desk"/)
  assert.match((await run(['connections', 'delete', id], 2)).stderr, /Add --yes/)
  assert.match((await run(['connections', 'show', id])).stdout, /connected/)
  assert.equal((await run(['connections', 'delete', id, '--yes'])).stdout, `Deleted ${id}.\n`)
  assert.match((await run(['connections', 'show', id], 3)).stderr, /was disconnected \(deleted\)/)
  await run(['integrations', 'remove', 'desk'])
})

test('connect: a denial, a timeout and Ctrl+C end it, each in its own words and with its own code', async t => {
  const hub = await startTestHub(t)
  const settings = settingsOf(hub)
  hub.sandbox.set('notion', { deny: true })
  const denied = command(t, ['connect', 'notion'], settings)
  await new Browser().follow(await said(() => denied.output.stderr, linkPattern))
  assert.equal(await denied.ended, 1)
  assert.match(denied.output.stderr, /Not connected: .*declined.*Begin again: npx mortise connect notion/s)
  assert.equal(denied.output.stdout, '')
  const late = await mortise(['connect', 'notion', '--timeout', '1'], settings)
  assert.equal(late.code, 1)
  assert.match(late.stderr, /Nobody finished within 1 seconds\. The link is good until/)
  const stopped = command(t, ['connect', 'notion'], settings)
  await said(() => stopped.output.stderr, linkPattern)
  stopped.child.kill('SIGINT')
  assert.equal(await stopped.ended, 130)
  assert.match(stopped.output.stderr, /Stopped waiting\. The link is good until/)
  assert.ok(!stopped.output.stderr.includes('    at '))
  hub.sandbox.set('notion', { deny: false, autoApprove: true })
  const file = join(tempFolder(t), 'new.env')
  const json = command(t, ['connect', 'notion', '--json', `--write-env=${file}`], settings)
  await new Browser().follow(await said(() => json.output.stderr, linkPattern))
  assert.equal(await json.ended, 0)
  const { connection, status } = JSON.parse(json.output.stdout)
  assert.equal(status, 'connected')
  assert.equal(readFileSync(file, 'utf8'), `CONNECTION_ID=${connection}\n`)
  assert.equal(statSync(file).mode & 0o777, 0o600)
})

test('--write-env without a file is .env in the folder; one that cannot be changed safely is left alone', async t => {
  const hub = await startTestHub(t)
  hub.sandbox.set('notion', { autoApprove: true })
  const folder = tempFolder(t)
  const once = async (args: string[]) => {
    const running = command(t, ['connect', 'notion', ...args], settingsOf(hub), folder)
    await new Browser().follow(await said(() => running.output.stderr, linkPattern))
    return { code: await running.ended, ...running.output }
  }
  assert.equal((await once(['--write-env'])).code, 0)
  assert.match(readFileSync(join(folder, '.env'), 'utf8'), /^CONNECTION_ID=conn_[0-9a-f]{24}\n$/)
  const tricky = 'A="\nCONNECTION_ID=inside\n"\n'
  writeFileSync(join(folder, 'tricky.env'), tricky)
  const refused = await once(['--write-env=tricky.env'])
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /Add this line to it yourself: CONNECTION_ID=conn_/)
  assert.equal(readFileSync(join(folder, 'tricky.env'), 'utf8'), tricky)
})

test('a hub that wants a key says so; the key comes from the environment or a file, and never travels in the clear', async t => {
  const hub = await startTestHub(t)
  const made = await mortise(['key', 'create', '--scope', 'connections:read'], { MORTISE_DATA_DIR: hub.dataDir })
  const key = made.stdout.trim()
  const without = await mortise(['connections', 'list'], settingsOf(hub))
  assert.equal(without.code, 4)
  assert.match(without.stderr, /no Authorization header.*MORTISE_API_KEY.*--key-file FILE.*npx mortise key create/s)
  assert.equal((await mortise(['connections', 'list'], settingsOf(hub, { MORTISE_API_KEY: key }))).code, 0)
  const file = join(tempFolder(t), 'key')
  writeFileSync(file, `${key}\n`)
  const byFile = ['connections', 'list', '--key-file', file, '--url', hub.origin]
  assert.equal((await mortise(byFile, { MORTISE_DATA_DIR: '/nowhere' })).code, 0)
  const narrow = await mortise(['connect', 'notion'], settingsOf(hub, { MORTISE_API_KEY: key }))
  assert.equal(narrow.code, 4)
  assert.match(narrow.stderr, /lacks the scope integrations:read/)
  const wrong = await mortise(['connections', 'list'], settingsOf(hub, { MORTISE_API_KEY: `${key}x` }))
  assert.equal(wrong.code, 4)
  assert.match(wrong.stderr, /mistyped or cut short/)
  assert.ok(!wrong.stderr.includes(key))
  const clear = await mortise(['connections', 'list', '--url', 'http://hub.example.com'], { MORTISE_API_KEY: key })
  assert.equal(clear.code, 1)
  assert.match(clear.stderr, /not https, so the key would travel in the clear/)
  const none = await mortise(['connections', 'list', '--key-file', '/nowhere/key'], settingsOf(hub))
  assert.equal(none.code, 1)
  assert.match(none.stderr, /key file \/nowhere\/key cannot be read/)
  const redirected = await mortise(['connections', 'list', '--url', `${hub.origin}/x`], {})
  assert.equal(redirected.code, 2)
  // Whoever has the data needs no key to set the hub up.
  const listed = await mortise(['integrations', 'list'], { ...settingsOf(hub), MORTISE_DATA_DIR: hub.dataDir })
  assert.equal(listed.code, 0, listed.stderr)
  assert.match(listed.stdout, /notion/)
  // And where the data is not, what the hub says is what is said.
  assert.equal((await mortise(['integrations', 'list'], settingsOf(hub))).code, 4)
})

test('integrations: added over HTTP where the hub lets us, shown with the redirect URI, in another environment by its data', async t => {
  const hub = await startTestHub(t)
  const settings = settingsOf(hub)
  const added = await mortise(
    ['integrations', 'add', 'lab', '--provider', 'gitlab', '--client-id', 'x', '--setting', 'host=lab.example'],
    settings,
    's3cret\n',
  )
  assert.equal(added.code, 0, added.stderr)
  assert.match(added.stdout, new RegExp(`Register this redirect URI at the provider: ${hub.origin}/oauth/callback`))
  const shown = await mortise(['integrations', 'show', 'lab'], settings)
  assert.match(shown.stdout, /Client id +x\n[\s\S]*Setting host +lab\.example\nRedirect URI +http/)
  assert.ok(!shown.stdout.includes('s3cret'))
  const set = (...limits: string[]) =>
    mortise(['integrations', 'set', 'lab', ...limits.flatMap(each => ['--limit', each])], settings)
  assert.match((await set('idleSeconds=5', 'answerBytes=1000')).stdout, /Limit idleSeconds +5\nLimit answerBytes +1000/)
  assert.equal((await set('idleSeconds=', 'answerBytes=')).stdout, 'The integration "lab" has the usual limits.\n')
  const json = JSON.parse((await mortise(['integrations', 'list', '--json'], settings)).stdout) as { key: string }[]
  assert.ok(json.some(each => each.key === 'lab'))
  const none = await mortise(['integrations', 'show', 'laab'], settings)
  assert.equal(none.code, 3)
  assert.match(none.stderr, /did you mean lab\?/)
  const data = { MORTISE_DATA_DIR: hub.dataDir, MORTISE_PORT: settings.MORTISE_PORT }
  assert.equal((await mortise(['env', 'create', 'staging'], data)).code, 0)
  const staged = ['integrations', 'add', 'github', '--client-id', 'x', '--env', 'staging']
  assert.equal((await mortise(staged, data, 'secret')).code, 0)
  const there = await mortise(['integrations', 'list', '--env', 'staging'], data)
  assert.match(there.stdout, /github/)
  assert.ok(!there.stdout.includes('notion'))
  const both = await mortise([...staged, '--url', hub.origin], data, 'secret')
  assert.equal(both.code, 2)
  assert.match(both.stderr, /Give one of them/)
})

test('what answers may be no hub; a certificate may be wrong: each is said, with exit code 5', async () => {
  const { createServer } = await import('node:http')
  const server = createServer((_request, response) => response.end('<html>hello'))
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as { port: number }
  const other = await mortise(['connections', 'list', '--url', `http://127.0.0.1:${port}`], {})
  assert.equal(other.code, 5)
  assert.match(other.stderr, /is no Mortise hub/)
  const tls = await mortise(['connections', 'list', '--url', `https://127.0.0.1:${port}`], {})
  assert.equal(tls.code, 5)
  assert.match(tls.stderr, /No hub answers at https:\/\/127\.0\.0\.1:\d+ \(/)
  server.close()
})

test('what comes from elsewhere moves no cursor: control characters are shown as ?', async t => {
  const hub = await startTestHub(t)
  const { createServer } = await import('node:http')
  const evil = createServer(async (request, response) => {
    const real = await fetch(hub.origin + request.url)
    const page = (await real.json()) as { data: Record<string, unknown>[] }
    for (const each of page.data) each['clientId'] = '\u001b[2Jgone'
    response.setHeader('content-type', 'application/json').end(JSON.stringify(page))
  })
  await new Promise<void>(done => evil.listen(0, '127.0.0.1', done))
  const { port } = evil.address() as { port: number }
  const listed = await mortise(['integrations', 'list', '--url', `http://127.0.0.1:${port}`], {})
  evil.close()
  assert.match(listed.stdout, /\?\[2Jgone/)
  assert.ok(!listed.stdout.includes('\u001b'))
})

test('config shows where each value comes from, and no secret; migrate tells what it ran, once', async t => {
  const folder = tempFolder(t)
  const secret = randomBytes(32).toString('base64')
  const settings = {
    MORTISE_PORT: '3111',
    MORTISE_ROOT_KEY: secret,
    MORTISE_DATA_DIR: folder,
    MORTISE_DATABASE_URL: 'postgres://me:pa55word@localhost:1/x',
  }
  const shown = await mortise(['config'], settings)
  assert.equal(shown.code, 0)
  assert.match(shown.stdout, /MORTISE_PORT +3111 +the environment/)
  assert.match(shown.stdout, /MORTISE_PUBLIC_URL +http:\/\/localhost:3111 +the default/)
  assert.match(shown.stdout, /MORTISE_ROOT_KEY +\[secret\] +the environment/)
  assert.match(shown.stdout, /MORTISE_DATABASE_URL +postgres:\/\/me:\[secret\]@localhost:1\/x +the environment/)
  assert.match(shown.stdout, /MORTISE_SECRET_KEY +not set\n/)
  const json = await mortise(['config', '--json'], settings)
  for (const { stdout } of [shown, json]) assert.ok(!stdout.includes('pa55word') && !stdout.includes(secret))
  const data = { MORTISE_DATA_DIR: folder }
  const first = await mortise(['migrate'], data)
  assert.equal(first.code, 0, first.stderr)
  assert.match(first.stdout, /^Ran 0001_first\.sql\n[\s\S]*The database is up to date: .*mortise\.db\n$/)
  const second = JSON.parse((await mortise(['migrate', '--json'], data)).stdout)
  assert.deepEqual(second.ran, [])
  assert.ok(existsSync(join(folder, 'mortise.db')))
})

test('providers: listed, shown, and a new file that the check takes as it is', async t => {
  const folder = tempFolder(t)
  const own = join(folder, 'providers')
  const settings = { MORTISE_PROVIDERS_DIR: own }
  const unset = await mortise(['provider', 'new', 'acme-crm'], {})
  assert.equal(unset.code, 1)
  assert.match(unset.stderr, /Set MORTISE_PROVIDERS_DIR to one.*--dir FOLDER/)
  const made = await mortise(['provider', 'new', 'acme-crm', '--dir', own], {})
  assert.equal(made.code, 0, made.stderr)
  assert.match(made.stdout, /Wrote .*acme-crm\.yaml\n.*\n.*provider check/)
  const checked = await mortise(['provider', 'check', own], {})
  assert.equal(checked.code, 0, checked.stderr)
  const again = await mortise(['provider', 'new', 'acme-crm', '--dir', own], {})
  assert.equal(again.code, 1)
  assert.match(again.stderr, /is there already, and was left as it is/)
  assert.equal((await mortise(['provider', 'new', 'Acme CRM', '--dir', own], {})).code, 2)
  assert.match(
    (await mortise(['provider', 'list'], settings)).stdout,
    /^ID +NAME[\s\S]*acme-crm +Acme Crm[\s\S]*github +GitHub/,
  )
  assert.match((await mortise(['provider', 'show', 'gitlab'], settings)).stdout, /Asks its operator +host \(/)
  const none = await mortise(['provider', 'show', 'gitlba'], settings)
  assert.equal(none.code, 3)
  assert.match(none.stderr, /did you mean gitlab\?/)
  const hub = await startTestHub(t)
  const theirs = JSON.parse((await mortise(['provider', 'list', '--json', '--url', hub.origin], settings)).stdout)
  assert.ok(!theirs.some((each: { id: string }) => each.id === 'acme-crm'))
})

test('help: for one command with its options, for a group, by both spellings; near names are told', async () => {
  const one = await mortise(['help', 'connect'], {})
  assert.equal(one.code, 0)
  assert.match(one.stdout, /^mortise connect INTEGRATION[\s\S]*--write-env +Write CONNECTION_ID/)
  assert.equal((await mortise(['connect', '--help'], {})).stdout, one.stdout)
  const group = await mortise(['help', 'connections'], {})
  for (const name of ['list', 'show', 'delete']) assert.match(group.stdout, new RegExp(`mortise connections ${name}`))
  const option = await mortise(['connections', 'list', '--intergation', 'x'], {})
  assert.equal(option.code, 2)
  assert.match(option.stderr, /'--intergation' \(did you mean --integration\?\)\.\nUsage: npx mortise connections list/)
  const word = await mortise(['conections', 'list'], {})
  assert.equal(word.code, 2)
  assert.match(word.stderr, /no command "conections list" \(did you mean connections list\?\)/)
  assert.equal((await mortise(['help', 'nonsense'], {})).code, 2)
  // Piped, nothing is coloured.
  assert.ok(!one.stdout.includes('\u001b'))
})

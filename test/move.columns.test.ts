/** That nothing is forgotten: every column of every table is moved as it is, sealed anew, or left out for a reason. */
import assert from 'node:assert/strict'
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite'
import { test } from 'node:test'
import { newId } from '../src/core/ids.ts'
import { jwtKeyOf } from '../src/core/jwt-key.ts'
import { rotateSecret, setEndpoint } from '../src/core/notify.ts'
import { addKey, setHmac } from '../src/core/setup.ts'
import { addEndUser } from '../src/core/users.ts'
import { exported, fill, imported, newSettings, open, stored } from './move-world.ts'

/** Of a column: moved as it is, or sealed anew; or why it is left out. Of a table: why it is. */
const known: Readonly<Record<string, string | Readonly<Record<string, string>>>> = {
  marks: 'of the hub: the check of its root key',
  changes: 'of the hub: it moves when a key is added',
  migrations: 'of the hub',
  connection_counts: 'counted anew as connections are written',
  attempts: 'a flow that is under way ends where it began',
  connect_sessions: 'a flow that is under way ends where it began',
  deliveries: 'what is still to be told is told by the hub where it happened',
  environments: {
    id: 'as it is',
    name: 'as it is',
    public_key: 'as it is',
    wrapped_key: 'the data key of another root key',
    hmac_key: 'sealed',
    jwt_key: 'sealed',
    tells_latest: 'as it is',
    frozen_at: 'it is frozen where it was',
    search_number: 'each hub counts what is searched by itself',
    created_at: 'as it is',
  },
  allowed_urls: { environment_id: 'as it is', kind: 'as it is', url: 'as it is' },
  secret_keys: {
    environment_id: 'as it is',
    id: 'as it is',
    name: 'as it is',
    hash: 'as it is',
    hint: 'as it is',
    scopes_json: 'as it is',
    created_at: 'as it is',
    revoked_at: 'as it is',
  },
  integrations: {
    environment_id: 'as it is',
    key: 'as it is',
    id: 'as it is',
    provider: 'as it is',
    client_id: 'as it is',
    client_secret: 'sealed',
    scopes_json: 'as it is',
    settings_json: 'as it is',
    redirect_uri: 'as it is',
    display_name: 'as it is',
    limits_json: 'as it is',
    sandbox: 'as it is',
    created_at: 'as it is',
    updated_at: 'as it is',
  },
  end_users: {
    environment_id: 'as it is',
    id: 'as it is',
    username: 'as it is',
    full_name: 'as it is',
    email: 'as it is',
    tags_json: 'as it is',
    organization_id: 'as it is',
    organization_name: 'as it is',
    created_at: 'as it is',
    updated_at: 'as it is',
    search_number: 'each hub counts what is searched by itself',
  },
  connections: {
    environment_id: 'as it is',
    id: 'as it is',
    number: 'as it is',
    integration_key: 'as it is',
    connection_id: 'as it is',
    provider: 'as it is',
    end_user_id: 'as it is',
    account_key: 'as it is',
    account_json: 'as it is',
    status: 'as it is',
    status_reason: 'as it is',
    status_cause: 'as it is',
    access_part: 'sealed',
    renewal_part: 'sealed',
    client: 'sealed',
    tags_json: 'as it is',
    webhook_url_override: 'as it is',
    account_ref: 'as it is',
    expires_at: 'as it is',
    obtained_at: 'as it is',
    credential_revision: 'as it is',
    scopes_json: 'as it is',
    config_json: 'as it is',
    metadata_json: 'as it is',
    facts_json: 'as it is',
    kind: 'as it is',
    name: 'as it is',
    trust: 'as it is',
    checked_at: 'as it is',
    created_at: 'as it is',
    updated_at: 'as it is',
    search_number: 'each hub counts what is searched by itself',
  },
  connection_tags: {
    environment_id: 'as it is',
    name: 'as it is',
    value: 'as it is',
    created_at: 'as it is',
    id: 'as it is',
  },
  refreshes: {
    environment_id: 'as it is',
    id: 'as it is',
    provider: 'as it is',
    due_at: 'as it is',
    lease_holder: 'a lease is of a process of the old hub',
    lease_fence: 'a lease is of a process of the old hub',
    lease_until: 'a lease is of a process of the old hub',
    mark_digest: 'as it is',
    mark_first_at: 'as it is',
    mark_at: 'as it is',
    probes: 'as it is',
    failures: 'as it is',
    failed_at: 'as it is',
    wait_until: 'as it is',
    restored_revision: 'as it is',
  },
  deleted_connections: {
    environment_id: 'as it is',
    id: 'as it is',
    integration_key: 'as it is',
    connection_id: 'as it is',
    end_user_id: 'as it is',
    deleted_at: 'as it is',
    merged_into: 'as it is',
  },
  webhook_endpoints: {
    environment_id: 'as it is',
    url: 'as it is',
    secret: 'sealed',
    previous_secret: 'sealed',
    previous_until: 'as it is',
    events_json: 'as it is',
    style: 'as it is',
    revision: 'as it is',
    created_at: 'as it is',
    updated_at: 'as it is',
  },
}

type Row = Record<string, SQLOutputValue>

/** But of those that are kept by triggers, and of what FTS5 makes for itself. */
const columnsOf = (db: DatabaseSync): Record<string, string[]> => {
  const tables = db
    .prepare(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT GLOB '*_text*'",
    )
    .all()
  const names = (table: string) => db.prepare(`SELECT name FROM pragma_table_info('${table}')`).all()
  return Object.fromEntries(
    tables.map(({ name }) => [String(name), names(String(name)).map(column => String(column['name']))]),
  )
}

test('every column is known, filled here, and the same after a move', async t => {
  const [old, fresh] = [newSettings(t), newSettings(t)]
  const from = await open(t, old)
  const { context } = from.hub
  const { storage } = from
  let environment = await fill(from, 1)
  const { id } = environment
  // Everything that can be absent is there.
  await setHmac(context, environment, true)
  await jwtKeyOf(context, id)
  await storage.setTellsLatest(id, true)
  await storage.allow(id, 'redirect', 'https://app.example.com/done')
  await storage.allow(id, 'origin', 'https://app.example.com')
  const { key } = await addKey(context, environment, 'back end', ['connections:read'])
  await storage.revokeKey(id, key.id, new Date())
  const known1 = await storage.integration(id, 'github')
  assert.ok(known1)
  const hosted = {
    ...known1,
    key: 'hosted',
    id: newId(new Date()),
    redirectUri: 'https://app.example.com/callback',
    displayName: 'Ours',
    limits: { idleSeconds: 5 },
  }
  const sealer = await context.sealerOf(id)
  await storage.addIntegration({
    ...hosted,
    clientSecret: sealer.seal(['integrations', hosted.id, 'client_secret'], 'another secret'),
  })
  const user = await addEndUser(context, id, { username: 'ada', fullName: 'Ada Lovelace' })
  await storage.tellEndUser({
    ...user,
    email: 'ada@example.com',
    tags: { plan: 'pro' },
    organization: { id: 'acme', name: 'Acme' },
  })
  await setEndpoint(context, environment, { url: 'https://app.example.com/hook' })
  await rotateSecret(context, environment)
  const at = new Date(1_700_000_000_000)
  const withClient = newId(new Date())
  const whole = await stored(from, environment, 7, {
    id: withClient,
    client: sealer.seal(['connections', withClient, 'client'], '["their client","their secret"]'),
    webhookUrlOverride: 'https://app.example.com/one',
    endUserId: user.id,
    status: 'reauthorization_required',
    statusReason: 'Refused.',
    statusCause: 'refresh_refused',
    account: { id: 'w', name: 'Acme', personId: 'p' },
    name: 'Mine',
    trust: 'public',
    checkedAt: at,
    credentialRevision: 5,
    scopes: ['a', 'b'],
    config: { shop: 'acme' },
    facts: { got: [1, null] },
  })
  const refresh = {
    dueAt: at,
    markDigest: 'digest',
    markFirstAt: at,
    markAt: at,
    probes: 2,
    failures: 3,
    failedAt: at,
    waitUntil: at,
    restoredRevision: 5,
  }
  const doomed = [await stored(from, environment, 8, { endUserId: user.id }), await stored(from, environment, 9)]
  await storage.restoreConnections(id, [{ ...whole, refresh }, ...doomed], () => 'leave')
  for (const { connection } of doomed)
    await storage.deleteConnection(
      id,
      connection.id,
      at,
      doomed[1]?.connection === connection ? undefined : whole.connection.id,
    )
  await storage.setFrozen(id, at)

  const to = await open(t, fresh)
  const lines = await exported(from, environment)
  const result = await imported(to, lines)
  assert.deepEqual([result.moved, result.became.new, result.conflicts], [true, 2, []])

  const [before, after] = [old, fresh].map(each => new DatabaseSync(each['MORTISE_DATABASE_URL'] ?? ''))
  assert.ok(before && after)
  t.after(() => {
    before.close()
    after.close()
  })
  environment = await context.environmentOf(id)
  const tables = columnsOf(before)
  assert.deepEqual(Object.keys(tables).sort(), Object.keys(known).sort(), 'a table that the archive does not know')
  for (const [table, columns] of Object.entries(tables)) {
    const how = known[table]
    assert.ok(how !== undefined)
    if (typeof how === 'string') continue
    assert.deepEqual(columns.toSorted(), Object.keys(how).sort(), `a column of ${table} that the archive does not know`)
    const key = table === 'environments' ? 'id' : 'environment_id'
    const plain = columns.filter(column => how[column] === 'as it is')
    const orderOf = (row: Row): string => JSON.stringify(plain.map(column => row[column]))
    const read = (db: DatabaseSync): Row[] =>
      db
        .prepare(`SELECT * FROM ${table} WHERE ${key} = ?`)
        .all(id)
        .sort((one, other) => (orderOf(one) < orderOf(other) ? -1 : 1))
    const [given, got]: [Row[], Row[]] = [read(before), read(after)]
    assert.equal(got.length, given.length, table)
    assert.ok(given.length > 0, `${table} is empty`)
    for (const column of columns) {
      const values = (rows: typeof given) => rows.map(row => row[column])
      const filled = values(given).some(value => value !== null && value !== '')
      if (how[column] === 'as it is') {
        assert.ok(filled, `${table}.${column} is filled nowhere, so nothing is shown`)
        assert.deepEqual(values(got), values(given), `${table}.${column}`)
      } else if (how[column] === 'sealed') {
        assert.ok(filled, `${table}.${column} is filled nowhere`)
        for (const [at, value] of values(got).entries()) {
          const was = values(given)[at]
          assert.equal(value === null, was === null, `${table}.${column}`)
          if (value !== null) assert.notDeepEqual(value, was, `${table}.${column} is sealed under another key`)
        }
      } else assert.ok((how[column] ?? '').length > 10, `why is ${table}.${column} left out?`)
    }
  }
  // What was sealed opens there, and is what it was: the lines of both are the same.
  const again = await exported(to, environment)
  assert.deepEqual(again.slice(1).sort(), lines.slice(1).sort())
})

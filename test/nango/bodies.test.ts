/** Every refusal of a body: its status, its code, and where each mistake stands. */
import { test } from 'node:test'
import { checkRefused, type Refused } from './refused.ts'

const good = { type: 'OAUTH2', access_token: 'at' }
const oauth = { type: 'OAUTH2', client_id: 'id', client_secret: 'secret' }

const refusals: readonly Refused[] = [
  // Bodies.
  [{ method: 'POST', path: '/connections' }, 400, 'invalid_body', /The body is missing: send a JSON object/],
  [{ method: 'POST', path: '/connections', text: '{"a":' }, 400, 'invalid_json', /The body is not JSON/],
  [
    { method: 'POST', path: '/connections', text: '{}', headers: { 'content-type': 'text/plain' } },
    415,
    'invalid_content_type',
    /content-type: application\/json/,
  ],
  [{ method: 'POST', path: '/connections', text: `"${'x'.repeat(1_000_001)}"` }, 413, 'invalid_body', /too large/],
  [
    { method: 'POST', path: '/connections', body: { provider_config_key: 'github' } },
    400,
    'invalid_body',
    /credentials/,
    ['credentials'],
  ],
  [
    { method: 'POST', path: '/connections', body: { provider_config_key: 'github', credentials: { type: 'OAUTH2' } } },
    400,
    'invalid_body',
    /credentials\.access_token/,
    ['credentials', 'access_token'],
  ],
  [
    { method: 'POST', path: '/connections', body: { provider_config_key: 'github', credentials: { type: 'SAML' } } },
    400,
    'invalid_body',
    /credentials\.type/,
    ['credentials', 'type'],
  ],
  [
    {
      method: 'POST',
      path: '/connections',
      body: { provider_config_key: 'github', credentials: good, conection_id: 'x' },
    },
    400,
    'invalid_body',
    /conection_id is not known here \(did you mean connection_id\?\)/,
    ['conection_id'],
  ],
  [
    {
      method: 'POST',
      path: '/connections',
      body: { provider_config_key: 'github', credentials: good, webhook_url_override: 'http://app.example' },
    },
    400,
    'invalid_body',
    /must be an absolute https URL/,
    ['webhook_url_override'],
  ],
  [
    {
      method: 'POST',
      path: '/connections',
      body: { provider_config_key: 'github', credentials: good, tags: { '1x': 'y' } },
    },
    400,
    'invalid_body',
    /tags has the name "1x"/,
    ['tags'],
  ],
  [
    {
      method: 'POST',
      path: '/connections',
      body: { provider_config_key: 'github', credentials: good, end_user: { id: 'me' } },
    },
    400,
    'invalid_body',
    /not "me"/,
    ['end_user.id'],
  ],
  [
    {
      method: 'POST',
      path: '/connections',
      body: { provider_config_key: 'github', credentials: good, connection_config: { a: {} } },
    },
    400,
    'invalid_body',
    /connection_config\.a must be a text/,
    ['connection_config.a'],
  ],
  [
    {
      method: 'POST',
      path: '/connections',
      body: { provider_config_key: 'hubspot', credentials: { type: 'BASIC', username: 'a', password: 'b' } },
    },
    400,
    'invalid_auth_mode',
    /HubSpot takes no credential of the type basic here; it takes oauth2/,
  ],
  [
    { method: 'POST', path: '/connections', body: { provider_config_key: 'none', credentials: good } },
    404,
    'not_found',
    /There is no integration "none" here/,
  ],
  [
    { method: 'PATCH', path: '/connections/1?provider_config_key=github', body: {} },
    400,
    'invalid_body',
    /names nothing to change/,
  ],
  [
    { method: 'PATCH', path: '/connections/1?provider_config_key=github', body: { tags: { a: 1 } } },
    400,
    'invalid_body',
    /tags\.a/,
    ['tags', 'a'],
  ],
  [
    {
      method: 'PATCH',
      path: '/connections/1?provider_config_key=github',
      body: { end_user: { id: 'u', email: 'a\u0000' } },
    },
    400,
    'invalid_body',
    /email must be/,
    ['email'],
  ],
  [
    {
      method: 'POST',
      path: '/connections/metadata',
      body: { connection_id: [], provider_config_key: 'github', metadata: {} },
    },
    400,
    'invalid_body',
    /connection_id/,
    ['connection_id'],
  ],
  [
    {
      method: 'POST',
      path: '/connections/metadata',
      body: { connection_id: '1', provider_config_key: 'github', metadata: [] },
    },
    400,
    'invalid_body',
    /metadata/,
    ['metadata'],
  ],
  [
    {
      method: 'POST',
      path: '/connections/metadata',
      text: `{"connection_id":"1","provider_config_key":"github","metadata":{"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}}`,
    },
    400,
    'invalid_body',
    /nested too deeply/,
  ],
  [
    {
      method: 'POST',
      path: '/connections/metadata',
      body: { connection_id: '\u0000', provider_config_key: 'github', metadata: {} },
    },
    400,
    'invalid_body',
    /no control character/,
    ['connection_id'],
  ],
  [
    { path: '/connections/%00?provider_config_key=github' },
    400,
    'invalid_uri_params',
    /connection_id must have no control character/,
    ['connection_id'],
  ],
  [
    { path: '/connections/?provider_config_key=github' },
    400,
    'invalid_uri_params',
    /connection_id is missing from the path/,
  ],
  [
    { method: 'POST', path: '/connection/a/metadata', headers: { 'provider-config-key': 'github, notion' }, body: {} },
    400,
    'invalid_headers',
    /Provider-Config-Key must be one name/,
    ['Provider-Config-Key'],
  ],
  [{ path: '/connections?endUserId=%00' }, 400, 'invalid_query_params', /endUserId must be at most/, ['endUserId']],
  [
    { method: 'DELETE', path: '/connections/1?provider_config_key=%00' },
    400,
    'invalid_query_params',
    /no control character/,
  ],
  [{ path: '/integrations/%00' }, 400, 'invalid_uri_params', /no control character/],
  // Integrations.
  [
    { method: 'POST', path: '/integrations', body: { provider: 'github', unique_key: 'github', credentials: oauth } },
    400,
    'invalid_body',
    /taken|already/,
    ['uniqueKey'],
  ],
  [
    { method: 'POST', path: '/integrations', body: { provider: 'githib', unique_key: 'x', credentials: oauth } },
    400,
    'invalid_body',
    /There is no provider "githib" \(did you mean github\?\)/,
  ],
  [
    { method: 'POST', path: '/integrations', body: { provider: 'github', unique_key: 'x' } },
    400,
    'invalid_body',
    /credentials/,
    ['credentials'],
  ],
  [
    { method: 'POST', path: '/integrations', body: { provider: 'github', unique_key: 'x/y', credentials: oauth } },
    400,
    'invalid_body',
    /can't name an integration/,
  ],
  [
    {
      method: 'POST',
      path: '/integrations',
      body: { provider: 'github', unique_key: 'x', credentials: oauth, forward_webhooks: true },
    },
    400,
    'invalid_body',
    /this hub forwards no webhooks of providers/,
    ['forward_webhooks'],
  ],
  [
    { method: 'PATCH', path: '/integrations/hubspot', body: { unique_key: 'github' } },
    400,
    'invalid_body',
    /There is an integration "github"/,
    ['uniqueKey'],
  ],
  [
    { method: 'PATCH', path: '/integrations/github', body: { unique_key: 'new' } },
    409,
    'conflict',
    /can't be renamed: connections are found by that name/,
  ],
  [
    { method: 'DELETE', path: '/integrations/github' },
    409,
    'conflict',
    /Connections stand on the integration "github"\. Delete them first/,
  ],
]

test('each mistake in a body is answered by its status, its code, and where it stands', t => checkRefused(t, refusals))

/**
 * https://docs.slack.dev/reference/methods, the examples of each page, and of
 * https://docs.slack.dev/apis/web-api/#post_bodies: reading is a GET with a query, writing a POST with JSON.
 */
import type { Reference } from './reference.ts'

const at = 'https://slack.com/api'
const channel = 'C1234567890'
const ts = '1503435956.000247'
const blocks = [{ type: 'section', text: { type: 'plain_text', text: 'Hello world' } }]

export const slack: Reference = {
  // https://docs.slack.dev/apis/web-api/#authentication
  headers: { accept: 'application/json', authorization: 'Bearer {token}', 'user-agent': 'Mortise' },
  requests: [
    { action: 'auth_test', request: `POST ${at}/auth.test` },
    { action: 'team_info', query: { team: 'T12345' }, request: `GET ${at}/team.info?team=T12345` },
    {
      action: 'chat_postMessage',
      body: { channel, text: 'Hello, world :wave:', blocks, thread_ts: ts, unfurl_links: false },
      request: `POST ${at}/chat.postMessage`,
    },
    {
      action: 'chat_update',
      body: { channel, ts, text: 'Hello, world, again', attachments: [{ pretext: 'pre-hello', text: 'text-world' }] },
      request: `POST ${at}/chat.update`,
    },
    { action: 'chat_delete', body: { channel, ts }, request: `POST ${at}/chat.delete` },
    {
      action: 'chat_postEphemeral',
      body: { channel, user: 'U0BPQUNTA', text: 'Hello world' },
      request: `POST ${at}/chat.postEphemeral`,
    },
    {
      action: 'chat_scheduleMessage',
      body: { channel, text: 'Hello, world', post_at: 1551891428 },
      request: `POST ${at}/chat.scheduleMessage`,
    },
    {
      action: 'chat_getPermalink',
      query: { channel: 'C123ABC456', message_ts: '1234567890.123456' },
      request: `GET ${at}/chat.getPermalink?channel=C123ABC456&message_ts=1234567890.123456`,
    },
    {
      action: 'conversations_list',
      query: {
        types: 'public_channel,private_channel',
        exclude_archived: true,
        limit: 20,
        cursor: 'dXNlcjpVMDYxTkZUVDI=',
      },
      request: `GET ${at}/conversations.list?types=public_channel%2Cprivate_channel&exclude_archived=true&limit=20&cursor=dXNlcjpVMDYxTkZUVDI%3D`,
    },
    {
      action: 'conversations_info',
      query: { channel, include_num_members: true },
      request: `GET ${at}/conversations.info?channel=${channel}&include_num_members=true`,
    },
    {
      action: 'conversations_history',
      query: { channel, latest: '1512085950.000216', inclusive: true, limit: 1 },
      request: `GET ${at}/conversations.history?channel=${channel}&latest=1512085950.000216&inclusive=true&limit=1`,
    },
    {
      action: 'conversations_replies',
      query: { channel, ts: '1234567890.123456', oldest: 1512085950 },
      request: `GET ${at}/conversations.replies?channel=${channel}&ts=1234567890.123456&oldest=1512085950`,
    },
    {
      action: 'conversations_members',
      query: { channel, limit: '200' },
      request: `GET ${at}/conversations.members?channel=${channel}&limit=200`,
    },
    {
      action: 'conversations_create',
      body: { name: 'mychannel', is_private: true },
      request: `POST ${at}/conversations.create`,
    },
    {
      action: 'conversations_invite',
      body: { channel, users: 'W1234567890,U2345678901,U3456789012' },
      request: `POST ${at}/conversations.invite`,
    },
    { action: 'conversations_join', body: { channel }, request: `POST ${at}/conversations.join` },
    {
      action: 'conversations_open',
      body: { users: 'W1234567890,U2345678901', return_im: true },
      request: `POST ${at}/conversations.open`,
    },
    {
      action: 'conversations_setTopic',
      body: { channel, topic: 'Apply topically for best effects' },
      request: `POST ${at}/conversations.setTopic`,
    },
    {
      action: 'conversations_rename',
      body: { channel, name: 'general_1' },
      request: `POST ${at}/conversations.rename`,
    },
    { action: 'conversations_archive', body: { channel }, request: `POST ${at}/conversations.archive` },
    {
      action: 'users_list',
      query: { limit: 20, include_locale: true },
      request: `GET ${at}/users.list?limit=20&include_locale=true`,
    },
    { action: 'users_info', query: { user: 'W1234567890' }, request: `GET ${at}/users.info?user=W1234567890` },
    {
      action: 'users_lookupByEmail',
      query: { email: 'spengler@ghostbusters.example.com' },
      request: `GET ${at}/users.lookupByEmail?email=spengler%40ghostbusters.example.com`,
    },
    {
      action: 'users_conversations',
      query: { user: 'W0B2345D', types: 'im,mpim' },
      request: `GET ${at}/users.conversations?user=W0B2345D&types=im%2Cmpim`,
    },
    {
      action: 'reactions_add',
      body: { channel, name: 'thumbsup', timestamp: '1234567890.123456' },
      request: `POST ${at}/reactions.add`,
    },
    { action: 'pins_add', body: { channel, timestamp: '1234567890.123456' }, request: `POST ${at}/pins.add` },
    {
      action: 'search_messages',
      query: { query: 'pickleface in:general', sort: 'timestamp', sort_dir: 'asc', count: 20 },
      request: `GET ${at}/search.messages?query=pickleface+in%3Ageneral&sort=timestamp&sort_dir=asc&count=20`,
    },
    {
      action: 'files_list',
      query: { channel, ts_from: '123456789', types: 'images' },
      request: `GET ${at}/files.list?channel=${channel}&ts_from=123456789&types=images`,
    },
    { action: 'files_info', query: { file: 'F2147483862' }, request: `GET ${at}/files.info?file=F2147483862` },
    {
      action: 'files_getUploadURLExternal',
      query: { filename: 'laughingoutloudcat.jpg', length: 53072 },
      request: `GET ${at}/files.getUploadURLExternal?filename=laughingoutloudcat.jpg&length=53072`,
    },
    {
      action: 'files_completeUploadExternal',
      body: { files: [{ id: 'F044GKUHN9Z', title: 'slack-test' }], channel_id: 'C0NF841BK', initial_comment: 'Look' },
      request: `POST ${at}/files.completeUploadExternal`,
    },
  ],
  mistakes: [
    // There is no path to be wrong in: the channel is a parameter like others.
    {
      action: 'conversations_info',
      path: { channel },
      field: 'pathParams.channel',
      says: /belongs in queryParameters/,
    },
    { action: 'conversations_history', field: 'queryParameters.channel', says: /is missing/ },
    {
      action: 'conversations_info',
      query: { channel: 'general' },
      field: 'queryParameters.channel',
      says: /right form/,
    },
    { action: 'conversations_list', query: { limit: 1000 }, field: 'queryParameters.limit', says: /at most 999/ },
    { action: 'conversations_list', query: { types: 'channel' }, field: 'queryParameters.types', says: /right form/ },
    { action: 'users_list', query: { cursr: 'x' }, field: 'queryParameters.cursr', says: /mean cursor/ },
    {
      action: 'search_messages',
      query: { query: 'x', sort: 'time' },
      field: 'queryParameters.sort',
      says: /"score", "timestamp"/,
    },
    { action: 'chat_postMessage', body: { text: 'x' }, field: 'requestBody.channel', says: /is missing/ },
    {
      action: 'chat_postMessage',
      body: { chanel: channel, channel },
      field: 'requestBody.chanel',
      says: /mean channel/,
    },
    {
      action: 'chat_update',
      body: { channel, ts: 1503435956, text: 'x' },
      field: 'requestBody.ts',
      says: /must be a text/,
    },
    {
      action: 'chat_postMessage',
      body: { channel, blocks: [{ text: 'x' }] },
      field: 'requestBody.blocks.0.type',
      says: /is missing/,
    },
    {
      action: 'chat_postMessage',
      body: { channel, blocks: Array.from({ length: 51 }, () => ({ type: 'divider' })) },
      field: 'requestBody.blocks',
      says: /at most 50 elements/,
    },
    { action: 'conversations_create', body: { name: 'My Channel' }, field: 'requestBody.name', says: /right form/ },
    {
      action: 'reactions_add',
      body: { channel, name: ':+1:', timestamp: ts },
      field: 'requestBody.name',
      says: /without colons/,
    },
    { action: 'auth_test', body: { token: 'x' }, field: 'requestBody', says: /takes no requestBody/ },
  ],
}

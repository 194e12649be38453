/**
 * The lists of the action files, walked at providers that answer as their own references say: which calls are made, letter
 * for letter, and what is found. Slack: docs.slack.dev/apis/web-api/pagination; GitHub: docs.github.com/en/rest/
 * using-the-rest-api/using-pagination-in-the-rest-api; Salesforce: developer.salesforce.com/docs/platform/api-rest/guide/
 * resources-query.html; HubSpot: developers.hubspot.com/docs/api-reference/2026-03/crm/search-the-crm; Google Drive:
 * developers.google.com/workspace/drive/api/reference/rest/v3.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadCatalogue } from '../src/catalogue/catalogue.ts'
import { type ActionInput, actionRequest } from '../src/core/action-request.ts'
import type { Json } from '../src/core/credential.ts'
import { paginationOf } from '../src/core/pages.ts'
import { type Walked, walk } from '../src/core/walk.ts'

const catalogue = loadCatalogue()

interface Told {
  readonly asked: string
  readonly sent?: Json
  readonly body: Json
  readonly link?: string
}

const slackNext = (next: string) => ({ response_metadata: { next_cursor: next } })
const hubspotNext = (after: string) => ({ paging: { next: { after, link: '?after=NTI1Cg%3D%3D' } } })
const sobject = { instance_url: 'https://acme.my.salesforce.com' }
const salesforce = `${sobject.instance_url}/services/data/v67.0/query`
const search = 'https://api.hubapi.com/crm/objects/2026-03/contacts/search'
const drive = 'https://www.googleapis.com/drive/v3'
const github = 'https://api.github.com'

const walks: [provider: string, action: string, input: ActionInput, pages: Told[]][] = [
  [
    'slack',
    'conversations_list',
    { query: { types: 'im' } },
    [
      {
        asked: 'GET https://slack.com/api/conversations.list?types=im&limit=200',
        body: { ok: true, channels: [1, 2], ...slackNext('dGVhbTpD=') },
      },
      {
        asked: 'GET https://slack.com/api/conversations.list?types=im&limit=200&cursor=dGVhbTpD%3D',
        body: { ok: true, channels: [3], ...slackNext('') },
      },
    ],
  ],
  [
    'slack',
    'search_messages',
    { query: { query: 'pickleface' } },
    [
      {
        asked: 'GET https://slack.com/api/search.messages?query=pickleface&cursor=*&count=100',
        body: { ok: true, messages: { matches: [1], total: 2 }, ...slackNext('b') },
      },
      {
        asked: 'GET https://slack.com/api/search.messages?query=pickleface&cursor=b&count=100',
        body: { ok: true, messages: { matches: [2], total: 2 }, ...slackNext('') },
      },
    ],
  ],
  [
    'github',
    'search-repos',
    { query: { q: 'tetris' } },
    [
      {
        asked: `GET ${github}/search/repositories?q=tetris&per_page=100`,
        body: { total_count: 2, incomplete_results: false, items: [1] },
        link: `<${github}/search/repositories?q=tetris&per_page=100&page=2>; rel="next", <${github}/search/repositories?q=tetris&per_page=100&page=2>; rel="last"`,
      },
      {
        asked: `GET ${github}/search/repositories?q=tetris&per_page=100&page=2`,
        body: { total_count: 2, incomplete_results: false, items: [2] },
        link: `<${github}/search/repositories?q=tetris&per_page=100&page=1>; rel="prev"`,
      },
    ],
  ],
  [
    'salesforce',
    'query',
    { query: { q: 'SELECT Id FROM Account' } },
    [
      {
        asked: `GET ${salesforce}?q=SELECT+Id+FROM+Account`,
        body: {
          done: false,
          totalSize: 3,
          records: [1, 2],
          nextRecordsUrl: '/services/data/v67.0/query/01gD0000002HU6KIAW-2000',
        },
      },
      {
        asked: `GET ${salesforce}/01gD0000002HU6KIAW-2000`,
        body: { done: true, totalSize: 3, records: [3] },
      },
    ],
  ],
  [
    'hubspot',
    'searchContacts',
    { body: { query: 'ada' } },
    [
      {
        asked: `POST ${search}`,
        sent: { query: 'ada', limit: 200 },
        body: { total: 2, results: [1], ...hubspotNext('200') },
      },
      { asked: `POST ${search}`, sent: { query: 'ada', limit: 200, after: '200' }, body: { total: 2, results: [2] } },
    ],
  ],
  [
    'hubspot',
    'listOwners',
    {},
    [
      {
        asked: 'GET https://api.hubapi.com/crm/owners/2026-03?limit=100',
        body: { results: [1], ...hubspotNext('NTI1') },
      },
      { asked: 'GET https://api.hubapi.com/crm/owners/2026-03?limit=100&after=NTI1', body: { results: [2] } },
    ],
  ],
  [
    'google-drive',
    'changes-list',
    { query: { pageToken: '7' } },
    [
      { asked: `GET ${drive}/changes?pageToken=7&pageSize=100`, body: { changes: [1], nextPageToken: '9' } },
      { asked: `GET ${drive}/changes?pageToken=9&pageSize=100`, body: { changes: [2], newStartPageToken: '11' } },
    ],
  ],
  [
    'google-drive',
    'permissions-list',
    { path: { fileId: 'f' } },
    [{ asked: `GET ${drive}/files/f/permissions?pageSize=100`, body: { permissions: [1] } }],
  ],
]

for (const [id, name, input, pages] of walks)
  test(`${id}: ${name} is walked as the reference has it`, async () => {
    const [provider, action] = [catalogue.get(id), catalogue.action(id, name)]
    assert.ok(provider && action)
    const client = { provider, integration: { clientId: 'c', settings: {}, sandbox: false }, config: {} }
    const caller = id === 'salesforce' ? { ...client, config: sobject } : client
    const asked: unknown[] = []
    const told: Walked[] = []
    for await (const each of walk(provider, action, input, { max: 100 }, async page => {
      const { method, url, body } = actionRequest(caller, action, page)
      asked.push([`${method} ${url}`, body === undefined ? undefined : JSON.parse(body)])
      const answer = pages[asked.length - 1]
      assert.ok(answer, `${method} ${url}`)
      return { status: 200, headers: answer.link === undefined ? {} : { link: answer.link }, body: answer.body }
    }))
      told.push(each)
    assert.deepEqual(
      asked,
      pages.map(page => [page.asked, page.sent]),
    )
    const end = told.pop()
    assert.ok(end && 'end' in end, JSON.stringify(end))
    assert.deepEqual([end.end.complete, end.end.pages], [true, pages.length])
    assert.deepEqual(
      told.map(each => ('item' in each ? each.item : each)),
      told.map((_, index) => index + 1),
    )
    assert.ok(told.length >= pages.length)
  })

/** What is a list in pages, and where it stands in an answer. */
const lists: Readonly<Record<string, Readonly<Record<string, string | undefined>>>> = {
  slack: {
    conversations_list: 'channels',
    conversations_history: 'messages',
    conversations_replies: 'messages',
    conversations_members: 'members',
    users_list: 'members',
    users_conversations: 'channels',
    search_messages: 'messages.matches',
  },
  github: {
    'orgs-list-for-authenticated-user': undefined,
    'repos-list-for-authenticated-user': undefined,
    'repos-list-for-org': undefined,
    'repos-list-branches': undefined,
    'repos-list-commits': undefined,
    'issues-list': undefined,
    'issues-list-for-repo': undefined,
    'issues-list-comments': undefined,
    'pulls-list': undefined,
    'pulls-list-files': undefined,
    'repos-list-releases': undefined,
    'actions-list-workflow-runs-for-repo': 'workflow_runs',
    'search-issues-and-pull-requests': 'items',
    'search-repos': 'items',
  },
  salesforce: { query: 'records', 'query-more': 'records', 'query-all': 'records' },
  hubspot: Object.fromEntries(
    [
      ...['Contacts', 'Companies', 'Deals', 'Tickets'].flatMap(each => [`list${each}`, `search${each}`]),
      'listAssociations',
      'listOwners',
    ].map(each => [each, 'results']),
  ),
  'google-drive': {
    'files-list': 'files',
    'permissions-list': 'permissions',
    'comments-list': 'comments',
    'drives-list': 'drives',
    'changes-list': 'changes',
    'revisions-list': 'revisions',
  },
}

for (const [id, expected] of Object.entries(lists))
  test(`${id}: each list in pages says where it stands, and nothing else is one`, () => {
    const provider = catalogue.get(id)
    assert.ok(provider)
    const found = catalogue.actions(id).flatMap(action => {
      const paginate = paginationOf(provider, action)
      return paginate ? [[action.id, paginate.items] as const] : []
    })
    assert.deepEqual(Object.fromEntries(found), expected)
  })

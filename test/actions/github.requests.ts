/** https://docs.github.com/en/rest?apiVersion=2022-11-28, the examples of each page. */
import type { Reference } from './reference.ts'

const repository = { owner: 'octocat', repo: 'Hello-World' }
const issue = { ...repository, issue_number: 1347 }
const pull = { ...repository, pull_number: 1347 }
const at = 'https://api.github.com/repos/octocat/Hello-World'

export const github: Reference = {
  // https://docs.github.com/en/rest/using-the-rest-api/getting-started-with-the-rest-api#headers
  headers: {
    accept: 'application/vnd.github+json',
    authorization: 'Bearer {token}',
    'user-agent': 'Mortise',
    'x-github-api-version': '2022-11-28',
  },
  requests: [
    { action: 'users-get-authenticated', request: 'GET https://api.github.com/user' },
    {
      action: 'orgs-list-for-authenticated-user',
      query: { per_page: 50, page: '2' },
      request: 'GET https://api.github.com/user/orgs?per_page=50&page=2',
    },
    {
      action: 'repos-list-for-authenticated-user',
      query: { affiliation: 'owner,collaborator', sort: 'pushed', since: '2025-01-31T09:30:00Z' },
      request:
        'GET https://api.github.com/user/repos?affiliation=owner%2Ccollaborator&sort=pushed&since=2025-01-31T09%3A30%3A00Z',
    },
    {
      action: 'repos-list-for-org',
      path: { org: 'github' },
      query: { type: 'sources', direction: 'desc' },
      request: 'GET https://api.github.com/orgs/github/repos?type=sources&direction=desc',
    },
    { action: 'repos-get', path: repository, request: `GET ${at}` },
    {
      action: 'repos-create-for-authenticated-user',
      body: {
        name: 'Hello-World',
        description: 'This is your first repo!',
        homepage: 'https://github.com',
        private: false,
        is_template: true,
      },
      request: 'POST https://api.github.com/user/repos',
    },
    {
      action: 'repos-list-branches',
      path: repository,
      query: { protected: true },
      request: `GET ${at}/branches?protected=true`,
    },
    {
      action: 'repos-list-commits',
      path: repository,
      query: { sha: 'main', path: 'docs/read me.md', author: 'support@github.com' },
      request: `GET ${at}/commits?sha=main&path=docs%2Fread+me.md&author=support%40github.com`,
    },
    {
      action: 'repos-get-content',
      path: { ...repository, path: 'docs/README.md' },
      query: { ref: 'v1.0.0' },
      request: `GET ${at}/contents/docs%2FREADME.md?ref=v1.0.0`,
    },
    {
      action: 'repos-create-or-update-file-contents',
      path: { ...repository, path: 'notes/hello.txt' },
      body: {
        message: 'my commit message',
        committer: { name: 'Monalisa Octocat', email: 'octocat@github.com' },
        content: 'bXkgbmV3IGZpbGUgY29udGVudHM=',
      },
      request: `PUT ${at}/contents/notes%2Fhello.txt`,
    },
    {
      action: 'issues-list',
      query: { filter: 'created', state: 'all', labels: 'bug,ui,@high', pulls: false },
      request: 'GET https://api.github.com/issues?filter=created&state=all&labels=bug%2Cui%2C%40high&pulls=false',
    },
    {
      action: 'issues-list-for-repo',
      path: repository,
      query: { milestone: 3, state: 'closed', assignee: '*', sort: 'comments' },
      request: `GET ${at}/issues?milestone=3&state=closed&assignee=*&sort=comments`,
    },
    {
      action: 'issues-create',
      path: repository,
      body: {
        title: 'Found a bug',
        body: "I'm having a problem with this.",
        assignees: ['octocat'],
        milestone: 1,
        labels: ['bug'],
      },
      request: `POST ${at}/issues`,
    },
    { action: 'issues-get', path: issue, request: `GET ${at}/issues/1347` },
    {
      action: 'issues-update',
      path: issue,
      body: {
        title: 'Found a bug',
        body: "I'm having a problem with this.",
        assignees: ['octocat'],
        milestone: 1,
        state: 'open',
        labels: ['bug'],
      },
      request: `PATCH ${at}/issues/1347`,
    },
    {
      action: 'issues-add-labels',
      path: issue,
      body: { labels: ['bug', 'enhancement'] },
      request: `POST ${at}/issues/1347/labels`,
    },
    {
      action: 'issues-list-comments',
      path: issue,
      query: { since: '2025-01-31T09:30:00Z' },
      request: `GET ${at}/issues/1347/comments?since=2025-01-31T09%3A30%3A00Z`,
    },
    {
      action: 'issues-create-comment',
      path: issue,
      body: { body: 'Me too' },
      request: `POST ${at}/issues/1347/comments`,
    },
    {
      action: 'pulls-list',
      path: repository,
      query: { head: 'github:new-script-format', base: 'gh-pages', sort: 'long-running' },
      request: `GET ${at}/pulls?head=github%3Anew-script-format&base=gh-pages&sort=long-running`,
    },
    { action: 'pulls-get', path: pull, request: `GET ${at}/pulls/1347` },
    {
      action: 'pulls-create',
      path: repository,
      body: {
        title: 'Amazing new feature',
        body: 'Please pull these awesome changes in!',
        head: 'octocat:new-feature',
        base: 'master',
      },
      request: `POST ${at}/pulls`,
    },
    {
      action: 'pulls-update',
      path: pull,
      body: { title: 'new title', body: 'updated body', state: 'open', base: 'master' },
      request: `PATCH ${at}/pulls/1347`,
    },
    {
      action: 'pulls-list-files',
      path: pull,
      query: { per_page: 100 },
      request: `GET ${at}/pulls/1347/files?per_page=100`,
    },
    {
      action: 'pulls-merge',
      path: pull,
      body: { commit_title: 'Expand enum', commit_message: 'Add a new value to the merge_method enum' },
      request: `PUT ${at}/pulls/1347/merge`,
    },
    { action: 'repos-list-releases', path: repository, request: `GET ${at}/releases` },
    {
      action: 'repos-create-release',
      path: repository,
      body: {
        tag_name: 'v1.0.0',
        target_commitish: 'master',
        name: 'v1.0.0',
        body: 'Description of the release',
        draft: false,
        prerelease: false,
        generate_release_notes: false,
      },
      request: `POST ${at}/releases`,
    },
    {
      action: 'actions-list-workflow-runs-for-repo',
      path: repository,
      query: { branch: 'main', status: 'success', created: '>=2025-01-31', exclude_pull_requests: true },
      request: `GET ${at}/actions/runs?branch=main&status=success&created=%3E%3D2025-01-31&exclude_pull_requests=true`,
    },
    {
      action: 'actions-create-workflow-dispatch',
      path: { ...repository, workflow_id: 'main.yaml' },
      body: { ref: 'topic-branch', inputs: { name: 'Mona the Octocat', home: 'San Francisco, CA' } },
      request: `POST ${at}/actions/workflows/main.yaml/dispatches`,
    },
    {
      action: 'search-issues-and-pull-requests',
      query: { q: 'windows label:bug language:python state:open', sort: 'created', order: 'asc' },
      request:
        'GET https://api.github.com/search/issues?q=windows+label%3Abug+language%3Apython+state%3Aopen&sort=created&order=asc',
    },
    {
      action: 'search-repos',
      query: { q: 'tetris language:assembly', sort: 'stars', order: 'desc' },
      request: 'GET https://api.github.com/search/repositories?q=tetris+language%3Aassembly&sort=stars&order=desc',
    },
  ],
  mistakes: [
    { action: 'issues-get', path: repository, field: 'pathParams.issue_number', says: /is missing/ },
    {
      action: 'repos-get',
      path: { owner: 'octocat', repo: 'octocat/Hello-World' },
      field: 'pathParams.repo',
      says: /right form/,
    },
    {
      action: 'repos-get-content',
      path: { ...repository, path: '../../other/secrets' },
      field: 'pathParams.path',
      says: /must name one thing/,
    },
    {
      action: 'issues-get',
      path: { ...issue, issue_number: 'first' },
      field: 'pathParams.issue_number',
      says: /integer/,
    },
    {
      action: 'pulls-list',
      path: repository,
      query: { state: 'merged' },
      field: 'queryParameters.state',
      says: /"open", "closed", "all"/,
    },
    {
      action: 'repos-list-releases',
      path: repository,
      query: { perpage: 5 },
      field: 'queryParameters.perpage',
      says: /mean per_page/,
    },
    {
      action: 'orgs-list-for-authenticated-user',
      query: { per_page: 101 },
      field: 'queryParameters.per_page',
      says: /at most 100/,
    },
    { action: 'search-repos', field: 'queryParameters.q', says: /is missing/ },
    { action: 'issues-create', path: repository, body: { body: 'x' }, field: 'requestBody.title', says: /is missing/ },
    {
      action: 'issues-update',
      path: issue,
      body: { state: 'done' },
      field: 'requestBody.state',
      says: /"open", "closed"/,
    },
    {
      action: 'pulls-create',
      path: repository,
      body: { head: 'a', base: 'main', draft: 'yes' },
      field: 'requestBody.draft',
      says: /true or false/,
    },
    {
      action: 'issues-create-comment',
      path: issue,
      body: { text: 'Me too', body: 'x' },
      field: 'requestBody.text',
      says: /not a known field/,
    },
    { action: 'issues-get', path: issue, body: { title: 'x' }, field: 'requestBody', says: /takes no requestBody/ },
  ],
}

/**
 * A small Notion API of version 2022-06-28, kept in memory: search, pages, databases, blocks, comments, users, file uploads.
 * What the pages of https://developers.notion.com/reference do not allow is refused with Notion's own errors.
 */
import { randomUUID } from 'node:crypto'
import type { Answer, ApiCall, ApiRequest } from '../expectation.ts'
import { appendChildren, blockChildren, deleteBlock, retrieveBlock, updateBlock } from './notion-blocks.ts'
import { createDatabase, query, retrieveDatabase, updateDatabase } from './notion-databases.ts'
import { completeUpload, createUpload, listUploads, retrieveUpload, sendUpload } from './notion-files.ts'
import { createPage, retrievePage, retrieveProperty, search, updatePage } from './notion-pages.ts'
import { createComment, listComments, listUsers, me, retrieveComment, retrieveUser } from './notion-people.ts'
import { type Json, Refused } from './notion-store.ts'

const versions = ['2021-05-11', '2021-05-13', '2021-08-16', '2022-02-22', '2022-06-28', '2025-09-03', '2026-03-11']

/** One call: the version checked first, then what the handler returns or refuses. */
const call = (method: string, path: string, handler: (request: ApiRequest) => Json, until?: string): ApiCall => ({
  method,
  url: `https://api.notion.com${path}`,
  answer: (request): Answer => {
    const failed = (status: number, code: string, message: string): Answer => ({
      status,
      body: { object: 'error', status, code, message, request_id: randomUUID() },
    })
    const version = request.headers['notion-version']
    const wrong = 'Notion-Version header failed validation: Notion-Version header should be'
    if (!version) return failed(400, 'missing_version', `${wrong} defined, instead was \`undefined\`.`)
    if (!versions.includes(version))
      return failed(400, 'validation_error', `${wrong} a known version, instead was \`"${version}"\`.`)
    if (until !== undefined && version >= until) return failed(400, 'invalid_request_url', 'Invalid request URL.')
    try {
      return { status: 200, body: handler(request) }
    } catch (error) {
      if (error instanceof Refused) return failed(error.status, error.code, error.message)
      throw error
    }
  },
})

export const notionApi: readonly ApiCall[] = [
  call('POST', '/v1/search', search),
  call('GET', '/v1/users/me', me),
  call('GET', '/v1/users', listUsers),
  call('GET', '/v1/users/{user_id}', retrieveUser),
  call('POST', '/v1/pages', createPage),
  call('GET', '/v1/pages/{page_id}', retrievePage),
  call('PATCH', '/v1/pages/{page_id}', updatePage),
  call('GET', '/v1/pages/{page_id}/properties/{property_id}', retrieveProperty),
  call('POST', '/v1/databases', createDatabase),
  call('GET', '/v1/databases/{database_id}', retrieveDatabase),
  call('PATCH', '/v1/databases/{database_id}', updateDatabase),
  // Gone with data sources: https://developers.notion.com/docs/upgrade-guide-2025-09-03
  call('POST', '/v1/databases/{database_id}/query', query, '2025-09-03'),
  call('GET', '/v1/blocks/{block_id}', retrieveBlock),
  call('PATCH', '/v1/blocks/{block_id}', updateBlock),
  call('DELETE', '/v1/blocks/{block_id}', deleteBlock),
  call('GET', '/v1/blocks/{block_id}/children', blockChildren),
  call('PATCH', '/v1/blocks/{block_id}/children', appendChildren),
  call('GET', '/v1/comments', listComments),
  call('POST', '/v1/comments', createComment),
  call('GET', '/v1/comments/{comment_id}', retrieveComment),
  call('POST', '/v1/file_uploads', createUpload),
  call('GET', '/v1/file_uploads', listUploads),
  call('GET', '/v1/file_uploads/{file_upload_id}', retrieveUpload),
  call('POST', '/v1/file_uploads/{file_upload_id}/send', sendUpload),
  call('POST', '/v1/file_uploads/{file_upload_id}/complete', completeUpload),
]

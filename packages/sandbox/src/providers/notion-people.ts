/** Users and comments: https://developers.notion.com/reference/get-users, …/get-self, …/create-a-comment, …/list-comments */
import { randomUUID } from 'node:crypto'
import type { ApiRequest } from '../expectation.ts'
import { accounts, inWorkspace } from './notion-accounts.ts'
import {
  answered,
  author,
  bodyOf,
  botId,
  canonical,
  invalid,
  isObject,
  type Json,
  list,
  minute,
  notFound,
  paging,
  person,
  readRichText,
} from './notion-store.ts'
import { find, workspaceOf } from './notion-workspace.ts'

const bot = ({ account, clientId }: ApiRequest): Json => ({
  object: 'user',
  id: botId(clientId, account),
  name: 'Mortise',
  avatar_url: null,
  type: 'bot',
  bot: {
    owner: { type: 'user', user: person(account) },
    workspace_id: account.id,
    workspace_limits: { max_file_upload_size_in_bytes: 5242880 },
    workspace_name: account.name,
  },
})

export const me = (request: ApiRequest): Json => answered(bot(request))

const users = (request: ApiRequest): Json[] => [
  ...accounts.filter(each => inWorkspace(each).id === request.account.id).map(person),
  bot(request),
]

export const listUsers = (request: ApiRequest): Json => list(users(request), paging(request), 'user', 'query')

export const retrieveUser = (request: ApiRequest): Json => {
  const id = canonical('path.user_id', request.path['user_id'])
  const user = users(request).find(each => each['id'] === id)
  if (!user) throw notFound('user', id)
  return answered(user)
}

/** The page or block that is commented on. */
const target = (request: ApiRequest, parent: Json): Json => {
  if (parent['page_id'] !== undefined)
    return { type: 'page_id', page_id: find(request, 'page', 'body.parent.page_id', parent['page_id']).id }
  const id = canonical('body.parent.block_id', parent['block_id'])
  if (!workspaceOf(request).blocks.has(id)) throw notFound('block', id)
  return { type: 'block_id', block_id: id }
}

export const createComment = (request: ApiRequest): Json => {
  const body = bodyOf(request)
  const { comments } = workspaceOf(request)
  const text = readRichText('body.rich_text', body['rich_text'])
  const thread = body['discussion_id']
  if ((thread === undefined) === (body['parent'] === undefined))
    throw invalid(
      'body failed validation. Fix one: body.parent should be defined. body.discussion_id should be defined.',
    )
  const discussion = thread === undefined ? randomUUID() : canonical('body.discussion_id', thread)
  const first = [...comments.values()].find(each => each['discussion_id'] === discussion)
  if (thread !== undefined && !first) throw notFound('discussion', discussion)
  const given = body['display_name']
  const custom = isObject(given) && isObject(given['custom']) ? given['custom']['name'] : undefined
  const comment = {
    object: 'comment',
    id: randomUUID(),
    parent: first?.['parent'] ?? target(request, isObject(body['parent']) ? body['parent'] : {}),
    discussion_id: discussion,
    created_time: minute(request.now),
    last_edited_time: minute(request.now),
    created_by: author(request),
    rich_text: text,
    display_name: { type: isObject(given) ? given['type'] : 'integration', resolved_name: custom ?? 'Mortise' },
  }
  comments.set(comment.id, comment)
  return answered(comment)
}

export const listComments = (request: ApiRequest): Json => {
  const given = request.query.get('block_id')
  if (given === null)
    throw invalid('query failed validation: query.block_id should be defined, instead was `undefined`.')
  const id = canonical('query.block_id', given)
  const { comments, blocks, items } = workspaceOf(request)
  if (!blocks.has(id) && !items.has(id)) throw notFound('block', id)
  const found = [...comments.values()].filter(
    ({ parent }) => isObject(parent) && (parent['page_id'] ?? parent['block_id']) === id,
  )
  return list(found, paging(request), 'comment', 'query')
}

export const retrieveComment = (request: ApiRequest): Json => {
  const id = canonical('path.comment_id', request.path['comment_id'])
  const comment = workspaceOf(request).comments.get(id)
  if (!comment) throw notFound('comment', id)
  return answered(comment)
}

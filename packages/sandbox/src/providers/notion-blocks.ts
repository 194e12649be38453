/** Blocks: https://developers.notion.com/reference/block, …/patch-block-children, …/update-a-block, …/delete-a-block */
import { randomUUID } from 'node:crypto'
import type { ApiRequest } from '../expectation.ts'
import {
  answered,
  author,
  type Block,
  bodyOf,
  canonical,
  dressing,
  type Item,
  invalid,
  isObject,
  type Json,
  list,
  minute,
  notFound,
  paging,
  readRichText,
  titleOf,
  trashed,
} from './notion-store.ts'
import { workspaceOf } from './notion-workspace.ts'

const headings = ['heading_1', 'heading_2', 'heading_3']
const texts = [
  'paragraph',
  ...headings,
  'bulleted_list_item',
  'numbered_list_item',
  'quote',
  'to_do',
  'toggle',
  'template',
  'callout',
  'code',
]
const media = ['image', 'video', 'audio', 'pdf', 'file']
const others = [
  'equation',
  'bookmark',
  'embed',
  'divider',
  'breadcrumb',
  'table_of_contents',
  'link_to_page',
  'synced_block',
  'table',
  'table_row',
  'column_list',
  'column',
]
const types = [...texts, ...media, ...others]

/** The content of a block as written by a caller, in the shape it is read back. `before`: what it had. */
const content = (at: string, type: string, given: unknown, before?: Json): Json => {
  if (!isObject(given)) throw invalid(`body failed validation: ${at}.${type} should be an object.`)
  const { children: _, ...own } = given
  if (media.includes(type)) {
    const kind = ['external', 'file_upload'].find(each => isObject(own[each]))
    if (kind === undefined && !before)
      throw invalid(`body failed validation: ${at}.${type}.external should be defined, instead was \`undefined\`.`)
    const caption =
      own['caption'] === undefined ? (before?.['caption'] ?? []) : readRichText(`${at}.${type}.caption`, own['caption'])
    return { ...before, ...own, ...(kind === undefined ? {} : { type: kind }), caption }
  }
  if (!texts.includes(type)) return { ...before, ...own }
  const partial = before !== undefined && ['to_do', 'code', 'callout'].includes(type)
  const rich =
    own['rich_text'] === undefined && partial
      ? before['rich_text']
      : own['rich_text'] === undefined
        ? missing(`${at}.${type}.rich_text`)
        : readRichText(`${at}.${type}.rich_text`, own['rich_text'])
  return {
    ...(type === 'code' ? { caption: [], language: 'plain text' } : { color: 'default' }),
    ...(type === 'to_do' ? { checked: false } : {}),
    ...(type === 'callout' ? { icon: null } : {}),
    ...(headings.includes(type) ? { is_toggleable: false } : {}),
    ...before,
    ...own,
    ...(type === 'callout' ? dressing(own) : {}),
    rich_text: rich,
  }
}

const missing = (at: string): never => {
  throw invalid(`body failed validation: ${at} should be defined, instead was \`undefined\`.`)
}

/** New blocks within something, at its end or after one that is there. Those directly within are returned. */
export const append = (
  request: ApiRequest,
  parent: Json,
  parentId: string,
  given: unknown,
  at: string,
  after?: string,
): Block[] => {
  if (!Array.isArray(given))
    throw invalid(`body failed validation: ${at} should be an array, instead was \`undefined\`.`)
  if (given.length > 100)
    throw invalid(`body failed validation: ${at}.length should be ≤ \`100\`, instead was \`${given.length}\`.`)
  const { blocks, children } = workspaceOf(request)
  const made = given.map((each: unknown, index) => {
    const here = `${at}[${index}]`
    const type = isObject(each) ? types.find(name => name in each) : undefined
    if (!isObject(each) || type === undefined || (each['type'] !== undefined && each['type'] !== type))
      throw invalid(
        `body failed validation. Fix one: ${types.map(name => `${here}.${name} should be defined, instead was \`undefined\``).join('. ')}.`,
      )
    const block: Block = {
      object: 'block',
      id: randomUUID(),
      parent,
      created_time: minute(request.now),
      last_edited_time: minute(request.now),
      created_by: author(request),
      last_edited_by: author(request),
      archived: false,
      in_trash: false,
      type,
      [type]: content(here, type, each[type]),
    }
    const inner = isObject(each[type]) ? each[type]['children'] : undefined
    return { block, inner, here: `${here}.${type}.children` }
  })
  // Everything that can be refused is looked at before anything is kept.
  const nested = made.map(({ block, inner, here }) =>
    inner === undefined ? [] : append(request, { type: 'block_id', block_id: block.id }, block.id, inner, here),
  )
  for (const [index, { block }] of made.entries()) {
    blocks.set(block.id, block)
    if (nested[index]?.length) children.set(block.id, nested[index]?.map(each => each.id) ?? [])
  }
  const before = children.get(parentId) ?? []
  const place = after === undefined ? before.length : before.indexOf(after) + 1
  if (after !== undefined && place === 0) throw invalid(`Could not find block ${after} within ${parentId}.`)
  children.set(parentId, before.toSpliced(place, 0, ...made.map(({ block }) => block.id)))
  return made.map(({ block }) => block)
}

/** A page or a database as the block that stands for it in its parent. */
const asBlock = (item: Item): Block => {
  const type = item.object === 'page' ? 'child_page' : 'child_database'
  const { id, parent, created_time, last_edited_time, created_by, last_edited_by, archived } = item as Item & Json
  return {
    object: 'block',
    id,
    parent,
    created_time,
    last_edited_time,
    created_by,
    last_edited_by,
    archived,
    in_trash: archived,
    type,
    [type]: { title: titleOf(item) },
  }
}

const find = (request: ApiRequest): Block => {
  const id = canonical('path.block_id', request.path['block_id'])
  const { items, blocks } = workspaceOf(request)
  const item = items.get(id)
  const block = blocks.get(id) ?? (item && asBlock(item))
  if (!block) throw notFound('block', id)
  return block
}

const living = (request: ApiRequest, id: string): Block[] => {
  const { items, blocks, children } = workspaceOf(request)
  return (children.get(id) ?? [])
    .map(each => {
      const item = items.get(each)
      return blocks.get(each) ?? (item && asBlock(item))
    })
    .filter(each => each !== undefined)
    .filter(each => !each.archived)
}

const shown = (request: ApiRequest, block: Block): Json => ({
  ...block,
  has_children: living(request, block.id).length > 0,
})

export const retrieveBlock = (request: ApiRequest): Json => answered(shown(request, find(request)))

export const blockChildren = (request: ApiRequest): Json => {
  const found = living(request, find(request).id).map(block => shown(request, block))
  return list(found, paging(request), 'block', 'query')
}

export const appendChildren = (request: ApiRequest): Json => {
  const above = find(request)
  const body = bodyOf(request)
  if (above.archived) throw invalid("Can't edit block that is archived. You must unarchive the block before editing.")
  const after = body['after'] === undefined ? undefined : canonical('body.after', body['after'])
  const page = above.type === 'child_page'
  const parent = page ? { type: 'page_id', page_id: above.id } : { type: 'block_id', block_id: above.id }
  const made = append(request, parent, above.id, body['children'], 'body.children', after)
  return list(
    made.map(block => shown(request, block)),
    {},
    'block',
  )
}

/** What is kept of it, whether a block of its own or a page. */
const keep = (request: ApiRequest, block: Block, change: Json): Json => {
  const { items, blocks } = workspaceOf(request)
  const edited = { last_edited_time: minute(request.now), last_edited_by: author(request), ...change }
  const item = items.get(block.id)
  if (item) items.set(block.id, { ...item, ...edited })
  else blocks.set(block.id, { ...block, ...edited })
  return answered(shown(request, { ...block, ...edited }))
}

export const updateBlock = (request: ApiRequest): Json => {
  const block = find(request)
  const body = bodyOf(request)
  const trash = trashed(body, block.archived)
  const given = types.find(type => type in body)
  if (given !== undefined && given !== block.type)
    throw invalid(
      `body failed validation: body.${given} should be not present, the block is of the type ${block.type}.`,
    )
  const before = block[block.type]
  const changed =
    given === undefined ? {} : { [given]: content('body', given, body[given], isObject(before) ? before : {}) }
  return keep(request, block, { ...changed, archived: trash, in_trash: trash })
}

export const deleteBlock = (request: ApiRequest): Json => {
  const block = find(request)
  trashed({ in_trash: true }, block.archived)
  return keep(request, block, { archived: true, in_trash: true })
}

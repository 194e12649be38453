/** File uploads: https://developers.notion.com/reference/file-upload. The bytes themselves are not kept. */
import { randomUUID } from 'node:crypto'
import type { ApiRequest } from '../expectation.ts'
import {
  answered,
  author,
  bodyOf,
  canonical,
  invalid,
  isObject,
  type Json,
  list,
  minute,
  notFound,
  paging,
} from './notion-store.ts'
import { workspaceOf } from './notion-workspace.ts'

const hour = 3_600_000

export const createUpload = (request: ApiRequest): Json => {
  const body = request.body === undefined ? {} : bodyOf(request)
  const mode = body['mode'] ?? 'single_part'
  if (mode !== 'single_part' && mode !== 'multi_part' && mode !== 'external_url')
    throw invalid('body failed validation: body.mode should be `"single_part"`, `"multi_part"` or `"external_url"`.')
  const needed = {
    single_part: [],
    multi_part: ['filename', 'number_of_parts'],
    external_url: ['filename', 'external_url'],
  }
  for (const name of needed[mode])
    if (body[name] === undefined)
      throw invalid(`body failed validation: body.${name} should be defined, instead was \`undefined\`.`)
  if (mode === 'external_url' && !/^https:\/\//.test(String(body['external_url'])))
    throw invalid('body failed validation: body.external_url should be an https URL.')
  const id = randomUUID()
  const url = `https://api.notion.com/v1/file_uploads/${id}`
  const upload = {
    object: 'file_upload',
    id,
    created_time: minute(request.now),
    created_by: { ...author(request), type: 'bot' },
    last_edited_time: minute(request.now),
    expiry_time: minute(new Date(request.now.getTime() + hour)),
    ...(mode === 'external_url' ? {} : { upload_url: `${url}/send` }),
    ...(mode === 'multi_part'
      ? { complete_url: `${url}/complete`, number_of_parts: { total: body['number_of_parts'], sent: 0 } }
      : {}),
    archived: false,
    status: 'pending',
    filename: body['filename'] ?? null,
    content_type: body['content_type'] ?? null,
    content_length: null,
  }
  workspaceOf(request).uploads.set(id, upload)
  return answered(upload)
}

const find = (request: ApiRequest): Json & { readonly id: string } => {
  const id = canonical('path.file_upload_id', request.path['file_upload_id'])
  const upload = workspaceOf(request).uploads.get(id)
  if (!upload) throw notFound('file upload', id)
  return { ...upload, id }
}

const keep = (request: ApiRequest, upload: Json & { readonly id: string }, change: Json): Json => {
  const changed = { ...upload, ...change, last_edited_time: minute(request.now) }
  workspaceOf(request).uploads.set(upload.id, changed)
  return changed
}

const pending = (upload: Json): void => {
  if (upload['status'] !== 'pending') throw invalid(`File upload with ID ${upload['id']} is not in the pending status.`)
}

/** https://developers.notion.com/reference/send-a-file-upload */
export const sendUpload = (request: ApiRequest): Json => {
  const upload = find(request)
  if (!/^multipart\/form-data\b/.test(request.headers['content-type'] ?? ''))
    throw invalid('Content-Type header should be multipart/form-data.')
  pending(upload)
  const parts = upload['number_of_parts']
  if (!isObject(parts)) return answered(keep(request, upload, { status: 'uploaded', upload_url: null }))
  return answered(keep(request, upload, { number_of_parts: { ...parts, sent: Number(parts['sent']) + 1 } }))
}

export const completeUpload = (request: ApiRequest): Json => {
  const upload = find(request)
  pending(upload)
  const parts = upload['number_of_parts']
  if (!isObject(parts)) throw invalid(`File upload with ID ${upload.id} is not a multi_part one.`)
  if (parts['sent'] !== parts['total'])
    throw invalid(`Expected ${parts['total']} parts to be sent, but ${parts['sent']} were.`)
  return answered(keep(request, upload, { status: 'uploaded' }))
}

/** One that Notion fetches itself is there when it is looked at again. */
export const retrieveUpload = (request: ApiRequest): Json => {
  const upload = find(request)
  const fetched = upload['status'] === 'pending' && upload['upload_url'] === undefined
  const result = { imported_time: minute(request.now), type: 'success', success: {} }
  return answered(fetched ? keep(request, upload, { status: 'uploaded', file_import_result: result }) : upload)
}

export const listUploads = (request: ApiRequest): Json => {
  const status = request.query.get('status')
  if (status !== null && !['pending', 'uploaded', 'expired', 'failed'].includes(status))
    throw invalid('query failed validation: query.status should be one of the four.')
  const all = [...workspaceOf(request).uploads.values()].toReversed()
  return list(
    all.filter(each => status === null || each['status'] === status),
    paging(request),
    'file_upload',
    'query',
  )
}

/** Lists of connections: the strict query of 2026, the lenient one of 2023, and an answer that is written as it is read. */
import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { didYouMean } from '../../core/alike.ts'
import type { ListedConnection } from '../../core/connection.ts'
import { badParameter as wrong } from '../../core/errors.ts'
import { filterOf, type ListAsk, listed } from '../../core/list.ts'
import { toTags } from '../../core/tags.ts'
import { queryOf } from '../query.ts'
import { Refusal } from './errors.ts'
import { toListed } from './map.ts'
import { single } from './query.ts'
import type { Served } from './served.ts'

/** How many a list has that asks for no number, and at most where it does. */
const usual = 10_000
const most = 2000

const known = [
  'connectionId',
  'search',
  'endUserId',
  'endUserOrganizationId',
  'integrationId',
  'limit',
  'page',
] as const

const tagName = /^tags\[([^\]]+)\]$/

const checkNames = (query: URLSearchParams): void => {
  const unknown = [...query.keys()].filter(name => !(known as readonly string[]).includes(name) && !tagName.test(name))
  if (unknown.length === 0) return
  const problems = unknown.slice(0, 50).map(name => ({
    code: 'unrecognized_keys',
    message: `${name.slice(0, 80)} is not a parameter here${didYouMean(name.slice(0, 80), [...known, 'tags'])}.`,
    path: [name.slice(0, 80)],
  }))
  const message = `${problems.map(each => each.message).join(' ')} There are ${known.join(', ')}, tags[…].`
  throw new Refusal(400, 'invalid_query_params', message, problems)
}

const whole = (query: URLSearchParams, name: string, least: number, greatest: number): number | undefined => {
  const given = single(query, name)
  if (given === undefined) return undefined
  const value = /^\d{1,9}$/.test(given) ? Number(given) : Number.NaN
  if (value >= least && value <= greatest) return value
  throw wrong(name, `${name} must be a whole number from ${least} to ${greatest}.`)
}

/** What is given and not empty, which clients send for what they do not ask. */
const text = (query: URLSearchParams, name: string, longest = 255): string | undefined => {
  const value = single(query, name)
  if (value === undefined || value === '') return undefined
  if (value.length > longest || /\p{Cc}/u.test(value))
    throw wrong(name, `${name} must be at most ${longest} characters, without control characters.`)
  return value
}

const tagsIn = (query: URLSearchParams): Record<string, string> => {
  const tags: [string, string][] = []
  for (const name of query.keys()) {
    const tag = tagName.exec(name)?.[1]
    if (tag !== undefined) tags.push([tag, single(query, name) ?? ''])
  }
  return toTags(Object.fromEntries(tags))
}

const askOf = (query: URLSearchParams): ListAsk => {
  const connectionId = text(query, 'connectionId') ?? text(query, 'connection_id')
  const username = text(query, 'endUserId')
  const organizationId = text(query, 'endUserOrganizationId')
  const search = text(query, 'search')
  const keys = text(query, 'integrationId', 12_000)
    ?.split(',')
    .map(key => key.trim())
    .filter(Boolean)
  if (keys && keys.length > 100) throw wrong('integrationId', 'integrationId names more than 100 integrations.')
  const tags = tagsIn(query)
  return {
    ...(connectionId === undefined ? {} : { connectionId }),
    ...(username === undefined ? {} : { username }),
    ...(organizationId === undefined ? {} : { organizationId }),
    ...(search === undefined ? {} : { search }),
    ...(keys && keys.length > 0 ? { integrationKeys: [...new Set(keys)] } : {}),
    ...(Object.keys(tags).length > 0 ? { tags } : {}),
  }
}

/** The answer as it is read, a piece at a time: however many there are, only a few are in memory. */
async function* written(
  first: IteratorResult<readonly ListedConnection[], void>,
  rest: AsyncGenerator<readonly ListedConnection[], void>,
  year: 2023 | 2026,
): AsyncGenerator<string, void> {
  let before = '{"connections":['
  for (let piece = first; !piece.done; piece = await rest.next()) {
    yield before + piece.value.map(row => toListed(row, year)).join(',')
    before = ','
  }
  yield `${before === ',' ? '' : before}]}`
}

export const listRoute =
  (served: Served, year: 2023 | 2026) =>
  async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const query = queryOf(request)
    if (year === 2026) checkNames(query)
    // The old path has no pages, but takes what the new one does.
    const limit = whole(query, 'limit', 1, most) ?? (year === 2026 ? usual : Number.POSITIVE_INFINITY)
    const page = whole(query, 'page', 0, 1_000_000) ?? 0
    const { environmentId } = request.caller
    const { context } = served.hub
    const filter = await filterOf(context, environmentId, askOf(query))
    const pieces = listed(context, environmentId, filter, {
      limit,
      skip: page === 0 ? 0 : page * Math.min(limit, usual),
    })
    // The first is read before anything is sent: what goes wrong there has a status.
    const first = await pieces.next()
    return reply
      .header('content-type', 'application/json; charset=utf-8')
      .send(Readable.from(written(first, pieces, year), { objectMode: true, highWaterMark: 1 }))
  }

/** A provider that hands out one list in every way there is, and some that lead nowhere; with its actions file. */
import type { IncomingMessage } from 'node:http'

export const all = Array.from({ length: 25 }, (_, id) => ({ id: `i${id}` }))
const big = 'x'.repeat(200_000)

export const read = async (message: IncomingMessage): Promise<Record<string, unknown>> => {
  let text = ''
  for await (const chunk of message) text += chunk
  return text === '' ? {} : JSON.parse(text)
}

/** One page: its body, and further headers. */
export const pageAt = (
  url: URL,
  body: Record<string, unknown>,
  elsewhere: string,
): [unknown, Record<string, string>?] => {
  const query = (name: string) => url.searchParams.get(name)
  const from = (text: string | null, size = 10) => {
    const start = Number(text ?? 0)
    const rows = all.slice(start, start + size)
    return { rows, after: start + size, more: start + size < all.length }
  }
  switch (url.pathname) {
    case '/me':
      return [{ id: '1' }]
    case '/cursor': {
      const { rows, after, more } = from(query('after'), Number(query('size')))
      return [{ data: { rows }, meta: { next: more ? `${after}` : '' } }]
    }
    case '/search': {
      const { rows, after, more } = from(body['after'] as string | null)
      return [{ rows, next: `${after}`, more }]
    }
    case '/last': {
      const at = query('after')
      const { rows, more } = from(at === null ? null : String(Number(at.slice(1)) + 1))
      return [{ rows, more }]
    }
    case '/offset':
      return [{ rows: from(query('skip')).rows, total: all.length }]
    case '/page':
      return [from(String((Number(query('page') ?? 1) - 1) * 10)).rows]
    case '/things': {
      const { rows, after, more } = from(query('start'))
      const own = `<http://${url.host}/things?start=${after}>; title="a, b"; rel="next last"`
      return [rows, more ? { link: `<http://${url.host}/x>; rel=prev, ${own}` } : {}]
    }
    case '/relative': {
      const { rows, after, more } = from(query('start'))
      return [{ rows, next: more ? `/relative?start=${after}` : null }]
    }
    case '/circle':
      return [{ rows: [1], next: 'same', more: true }]
    case '/ring':
      return [{ rows: [query('after')], next: query('after') === 'a' ? 'b' : 'a', more: true }]
    case '/long':
      return [{ rows: [1, 2], next: 'x'.repeat(Number(url.searchParams.get('of'))), more: body['after'] === undefined }]
    case '/empty':
      return [{ rows: [], next: `${Number(query('after') ?? 0) + 1}`, more: true }]
    case '/elsewhere':
      return [[1], { link: `<http://${elsewhere}/things>; rel=next` }]
    case '/big':
      return [{ rows: [big, big, big, big, big], next: `${Number(query('after') ?? 0) + 1}`, more: true }]
    case '/two':
      return [{ rows: [], others: [] }]
    default:
      return [{ message: 'no such list' }]
  }
}

export const actionFile = () => {
  const list = (path: string, paginate: unknown, names: string[], more: object = {}) => ({
    title: path,
    description: path,
    resource: 'lists',
    docs: 'https://docs.lists.example/',
    method: 'GET',
    path,
    parameters: names.map(name => ({ name, in: 'query', description: name, schema: { type: 'string' } })),
    ...(paginate === undefined ? {} : { paginate }),
    ...more,
  })
  const rows = { next: 'next', more: 'more', items: 'rows' }
  const size = { param: 'size', most: 7 }
  const cursor = { kind: 'cursor', param: 'after' }
  return {
    actions: {
      cursor: list('/cursor', { ...cursor, next: 'meta.next', items: 'data.rows', size }, ['after', 'size']),
      search: list('/search', { ...cursor, in: 'body', ...rows }, [], {
        method: 'POST',
        body: { type: 'object', properties: { after: { type: 'string' }, words: { type: 'string' } } },
      }),
      last: list('/last', { ...cursor, last: 'id', more: 'more', items: 'rows' }, ['after']),
      offset: list('/offset', { kind: 'offset', param: 'skip', items: 'rows', total: 'total' }, ['skip']),
      page: list('/page', { kind: 'page', param: 'page' }, ['page']),
      things: list('/things', { kind: 'default' }, ['start']),
      relative: list('/relative', { kind: 'link', next: 'next', items: 'rows' }, ['start']),
      circle: list('/circle', { ...cursor, ...rows }, ['after']),
      ring: list('/ring', { ...cursor, ...rows }, ['after']),
      long: list('/long', { ...cursor, in: 'body', ...rows }, ['of'], {
        method: 'POST',
        body: { type: 'object', properties: { after: { type: 'string' } } },
      }),
      empty: list('/empty', { ...cursor, ...rows }, ['after']),
      elsewhere: list('/elsewhere', { kind: 'default' }, []),
      big: list('/big', { ...cursor, ...rows }, ['after']),
      one: list('/one', false, []),
    },
  }
}

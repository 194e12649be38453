/** Lists of few connections and of many: the first page, the last one, and every filter. */
import { request } from 'node:http'
import { type Figure, type Line, median, ms } from '../figure.ts'
import { type Engine, engines, type Place, type RunningHub, type World } from '../world.ts'

interface Asked {
  readonly what: string
  /** What is asked just before, and not timed. */
  readonly before?: (count: number) => string
  /** Of so many connections. */
  readonly query: (count: number) => string
  /** How many it must answer. */
  readonly answers: number
  /** What it may cost of many by what it costs of few. */
  readonly atMost?: number
}

const limit = 100

/** As they are tagged and owned: see `seed.ts`. */
const asked: readonly Asked[] = [
  { what: 'first page', query: () => '', answers: limit, atMost: 1.5 },
  { what: 'last page, out of turn', query: count => `&page=${count / limit - 1}`, answers: limit, atMost: 1.5 },
  {
    what: 'last page, after the one before it',
    before: count => `&page=${count / limit - 2}`,
    query: count => `&page=${count / limit - 1}`,
    answers: limit,
    atMost: 1.5,
  },
  { what: 'by connection id', query: () => '&connectionId=c0000500', answers: 1, atMost: 1.5 },
  { what: 'by end user', query: () => '&endUserId=person-0000050', answers: 10, atMost: 1.5 },
  { what: 'by organization', query: () => '&endUserOrganizationId=org-0000005', answers: 100, atMost: 1.5 },
  { what: 'by integration', query: () => '&integrationId=bench', answers: limit, atMost: 1.5 },
  {
    what: 'by integration, last page, out of turn',
    query: count => `&integrationId=bench&page=${count / limit - 1}`,
    answers: limit,
    atMost: 1.5,
  },
  { what: 'by tag, of all', query: () => '&tags[plan]=pro', answers: limit, atMost: 1.5 },
  { what: 'by tag, of ten', query: () => '&tags[end_user_id]=person-0000050', answers: 10, atMost: 1.5 },
  { what: 'search, found often', query: () => '&search=c00', answers: limit, atMost: 1.5 },
  { what: 'search, found once', query: () => '&search=c0000500', answers: 1 },
  { what: 'search, found nowhere', query: () => '&search=nowhere', answers: 0, atMost: 1.5 },
]

/** One answer, whole: its milliseconds and how many connections are in it. */
const once = (hub: RunningHub, place: Place, query: string): Promise<{ time: number; count: number }> =>
  new Promise((resolve, reject) => {
    const headers = Object.fromEntries(
      place.headers.split('\r\n').flatMap(line => {
        const colon = line.indexOf(': ')
        return colon === -1 ? [] : [[line.slice(0, colon), line.slice(colon + 2)]]
      }),
    )
    const begun = performance.now()
    const asking = request({ port: hub.port, path: `/connections?limit=${limit}${query}`, headers }, answer => {
      let body = ''
      answer.setEncoding('utf8')
      answer.on('data', piece => {
        body += piece
      })
      answer.on('end', () => {
        const time = performance.now() - begun
        if (answer.statusCode !== 200) return reject(new Error(`${answer.statusCode} ${body}`))
        resolve({ time, count: JSON.parse(body).connections.length })
      })
    })
    asking.on('error', reject)
    asking.end()
  })

const lines = async (world: World, engine: Engine): Promise<Line[]> => {
  const sizes = world.quick ? [1000, 20_000] : [1000, 100_000]
  const hubs: { size: number; hub: RunningHub; place: Place }[] = []
  for (const size of sizes) {
    const { place } = await world.owned(engine, size)
    hubs.push({ size, place, hub: await world.startHub(place) })
  }
  const [few, many] = hubs
  if (!few || !many) return []
  const found: Line[] = []
  for (const { what, before, query, answers, atMost } of asked) {
    world.say(`list ${what} on ${engine}`)
    const times = new Map<number, number[]>()
    // In turns, so that what else the machine does hits both alike.
    for (let round = 0; round < 40; round++)
      for (const { size, hub, place } of hubs) {
        if (before) await once(hub, place, before(size))
        const { time, count } = await once(hub, place, query(size))
        if (count !== answers) throw new Error(`list ${what} of ${size} answered ${count}, not ${answers}.`)
        // The first ones prepare statements and warm the code.
        if (round >= 10) times.set(size, [...(times.get(size) ?? []), time])
      }
    const [ours, rival] = [median(times.get(many.size) ?? []), median(times.get(few.size) ?? [])]
    found.push({
      what: `list on ${engine}, ${what}`,
      ours: `${ms(ours)} of ${many.size.toLocaleString('en')}`,
      rival: `${ms(rival)} of ${few.size.toLocaleString('en')}`,
      ratio: ours / rival,
      ...(atMost === undefined ? {} : { target: { atMost } }),
    })
  }
  await Promise.all(hubs.map(each => each.hub.stop()))
  return found
}

export const list: Figure = {
  name: 'list',
  help: 'Lists of 1 thousand and of 100 thousand connections: pages and filters.',
  async run(world) {
    const found: Line[] = []
    for (const engine of engines(world)) found.push(...(await lines(world, engine)))
    return found
  },
}

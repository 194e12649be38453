/** What works, and what to do about the rest. Holds no key and no token. */
import { AlloyError, alloyHttp, isObject, messageOf } from './alloy-http.ts'
import { type AppConfig, getConfig, setting } from './config.ts'
import { connectionIdOf, fetchConnections, hasId, isOf, isUsable, latestOf, nonePicked } from './connections.ts'
import { connectorsOf } from './connectors.ts'
import type { SeenConnections } from './webhook.ts'

export interface Finding {
  readonly name: string
  readonly ok: boolean
  readonly message: string
  /** What works without it, and better with it. */
  readonly hint?: true
}

/** Why nothing works, where nothing does: no server answers, or it refuses the key. */
export const obstacle = async (config: AppConfig): Promise<string | undefined> => {
  const http = alloyHttp({ baseUrl: config.alloyBaseUrl, apiKey: config.alloyApiKey, patience: 3000 })
  try {
    await http.get(`/users/${encodeURIComponent(config.alloyUserId)}`)
    return undefined
  } catch (error) {
    return stopsAll(error) ? messageOf(error) : undefined
  }
}

const stopsAll = (error: unknown): boolean =>
  error instanceof AlloyError && (error.status === 0 || error.status === 401)

export const diagnose = async (seen: SeenConnections): Promise<Finding[]> => {
  let config: AppConfig
  try {
    config = getConfig()
  } catch (error) {
    return [{ name: 'configuration', ok: false, message: messageOf(error) }]
  }
  const http = alloyHttp({ baseUrl: config.alloyBaseUrl, apiKey: config.alloyApiKey })
  const findings: Finding[] = [
    { name: 'configuration', ok: true, message: `ALLOY_BASE_URL is ${config.alloyBaseUrl}.` },
  ]
  /** Returns whether the checks that build on this one make sense. */
  const check = async (name: string, look: () => Promise<string | { readonly hint: string }>): Promise<boolean> => {
    try {
      const found = await look()
      findings.push(
        typeof found === 'string'
          ? { name, ok: true, message: found }
          : { name, ok: true, hint: true, message: found.hint },
      )
      return true
    } catch (error) {
      findings.push({ name, ok: false, message: messageOf(error) })
      return !stopsAll(error)
    }
  }
  const answers = await check('server, key and connector', async () => {
    const connectors = connectorsOf((await http.get('/connectors')).data)
    if (!connectors.some(each => each['id'] === 'notion'))
      throw new Error('The server answers but has no connector "notion". Add it there: on a hub, as an integration.')
    return 'The server answers, accepts the key, and has the connector notion.'
  })
  if (answers) {
    await check('user', async () => {
      const { data } = await http.get(`/users/${encodeURIComponent(config.alloyUserId)}`)
      const named = isObject(data) && typeof data['username'] === 'string' ? ` (${data['username']})` : ''
      return `The user ${config.alloyUserId}${named} is known.`
    })
    await check('connection', async () => {
      const rows = (await fetchConnections(http, config.alloyUserId)).filter(each => isOf('notion', each))
      const latest = latestOf(rows)
      if (rows.length === 0)
        throw new Error('There is no Notion connection yet. Click Connect Notion, or run: npm run connect-notion')
      const { connectionId } = config
      if (connectionId === undefined && latest === undefined)
        return {
          hint: `CONNECTION_ID is not set. There ${rows.length === 1 ? 'is' : 'are'} ${countOf(rows.length, 'Notion connection')}. ${nonePicked}`,
        }
      if (latest !== undefined && connectionId === undefined)
        return { hint: `CONNECTION_ID is not set. Add to .env: CONNECTION_ID=${connectionIdOf(latest)}` }
      const row = rows.find(each => hasId(each, connectionId ?? ''))
      if (row === undefined)
        throw new Error(
          `CONNECTION_ID is not one of the ${countOf(rows.length, 'Notion connection')} of this user. ${latest === undefined ? nonePicked : `The latest is ${connectionIdOf(latest)}.`}`,
        )
      if (!isUsable(row))
        throw new Error(`The connection of CONNECTION_ID is ${row.status}. Connect it again: npm run connect-notion`)
      return `CONNECTION_ID is one of ${countOf(rows.length, 'Notion connection')}, and usable.`
    })
  }
  const secret =
    setting('ALLOY_WEBHOOK_SECRET') === undefined ? 'not verified, ALLOY_WEBHOOK_SECRET is not set' : 'verified'
  findings.push({
    name: 'webhook',
    ok: true,
    message: `Signatures of webhooks are ${secret}. ${arrivals(seen)}.`,
  })
  return findings
}

const countOf = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`

const arrivals = (seen: SeenConnections): string => {
  const last = seen.all.at(-1)
  if (last !== undefined)
    return `${countOf(seen.all.length, 'connection')} ${seen.all.length === 1 ? 'was' : 'were'} announced, the last one ${last.connectionId}`
  return seen.others === 0
    ? 'None has come yet'
    : `There is no connection.created yet: ${countOf(seen.others, 'webhook')} of other types came, the last one ${seen.lastOther}`
}

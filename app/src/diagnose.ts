/** What works, and what to do about the rest. Holds no key and no token. */
import { AlloyError, alloyHttp, isObject, messageOf } from './alloy-http.ts'
import { type AppConfig, getConfig, setting } from './config.ts'
import { connectionIdOf, fetchConnections, hasId, isOf, isUsable, latestOf } from './connections.ts'
import { connectorsOf } from './connectors.ts'
import type { SeenConnections } from './webhook.ts'

export interface Finding {
  readonly name: string
  readonly ok: boolean
  readonly message: string
}

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
  const check = async (name: string, look: () => Promise<string>): Promise<boolean> => {
    try {
      findings.push({ name, ok: true, message: await look() })
      return true
    } catch (error) {
      findings.push({ name, ok: false, message: messageOf(error) })
      return !(error instanceof AlloyError && error.status === 0)
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
      if (latest === undefined)
        throw new Error('There is no Notion connection yet. Click Connect Notion, or run: npm run connect-notion')
      const { connectionId } = config
      if (connectionId === undefined)
        throw new Error(`CONNECTION_ID is not set. Add to .env: CONNECTION_ID=${connectionIdOf(latest)}`)
      const row = rows.find(each => hasId(each, connectionId))
      if (row === undefined)
        throw new Error(
          `CONNECTION_ID is not one of the ${rows.length} Notion connections of this user. The latest is ${connectionIdOf(latest)}.`,
        )
      if (!isUsable(row))
        throw new Error(`The connection of CONNECTION_ID is ${row.status}. Connect it again: npm run connect-notion`)
      return `CONNECTION_ID is one of ${rows.length} Notion connection${rows.length === 1 ? '' : 's'}, and usable.`
    })
  }
  const secret =
    setting('ALLOY_WEBHOOK_SECRET') === undefined ? 'not verified, ALLOY_WEBHOOK_SECRET is not set' : 'verified'
  const last = seen.all.at(-1)
  findings.push({
    name: 'webhook',
    ok: true,
    message: `Signatures of webhooks are ${secret}. ${last ? `${seen.all.length} connection${seen.all.length === 1 ? ' was' : 's were'} announced, the last one ${last.connectionId}` : 'None has come yet'}.`,
  })
  return findings
}

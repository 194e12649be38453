/** What `mortise dev` prints: one screen. */
import type { Config } from './config.ts'
import type { Dev } from './dev.ts'

export const devScreen = async (version: string, config: Config, running: Dev): Promise<string> => {
  const { firstEnvironment, storage } = running.rooms
  const url = config.publicUrl.origin
  const hmac = await running.rooms.hub.hmac(firstEnvironment, 'notion', '')
  const link = `${url}/oauth/connect/notion?public_key=${firstEnvironment.publicKey}${hmac ? `&hmac=${hmac}` : ''}`
  const ready = (await storage.integrations(firstEnvironment.id)).filter(each => each.sandbox).map(each => each.key)
  const basic = config.basicAuth && (await running.rooms.keyring.now()).unused
  const [key, option] = running.keyless
    ? ['none needed: only this machine can reach the hub', '']
    : basic
      ? ['none made; call the API with the user and password of MORTISE_BASIC_AUTH', ' -u "$HUB_USER:$HUB_PASSWORD"']
      : ['needed: Authorization: Bearer <secret key>', ' -H "Authorization: Bearer $HUB_SECRET_KEY"']
  return `
  Mortise ${version} is running. It was ready after ${(performance.now() / 1000).toFixed(2)} s.

  Open         ${url}
  Secret key   ${key}
  Public key   ${firstEnvironment.publicKey}
  Connect      ${link}
  Sandbox      ${running.sandbox.origin}/_sandbox  plays ${ready.join(', ')}; no account, no internet
  Data         ${config.dataDir}

  Try next
    1. Open the connect link, pick an account, approve: the page shows the connection id.
    2. Read it with a working token:
       curl${option} "${url}/connection/<connection id>?provider_config_key=notion"
    3. List all of them, here or in the browser:
       curl${option} ${url}/connection
       ${url}/connections
    4. See an app do it, in another terminal, then at http://localhost:3000:
       npm run server

  Stop with Ctrl+C. Commands and settings: npx mortise --help
`
}

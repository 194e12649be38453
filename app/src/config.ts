/** The settings of the application: one `.env` file, or the environment. */
import { envFile, loadEnv } from './env-file.ts'

export interface AppConfig {
  /** Empty where a hub on this machine needs none. */
  readonly alloyApiKey: string
  /** `me`: the user that the key (or the hub, without a key) stands for. */
  readonly alloyUserId: string
  /** Takes the place of all of production., embedded., api. and app.runalloy.com. No slash at its end. */
  readonly alloyBaseUrl: string
  readonly connectionId: string | undefined
}

/** Whose connections they are, where nobody is named. */
export const ownUser = 'me'

export const defaultBaseUrl = 'http://localhost:3003'

export const getConfig = (): AppConfig => {
  loadEnv()
  const alloyBaseUrl = baseUrlOf(setting('ALLOY_BASE_URL') ?? defaultBaseUrl)
  const local = isLoopback(alloyBaseUrl)
  const alloyApiKey = setting('ALLOY_API_KEY') ?? (local ? '' : undefined)
  const alloyUserId = setting('ALLOY_USER_ID') ?? (local ? ownUser : undefined)
  if (alloyApiKey === undefined)
    throw new Error(
      `ALLOY_API_KEY environment variable is required, because ${alloyBaseUrl} is not on this machine. Make a key there (Settings → API Keys, or on a Mortise hub: npx mortise key create) and put it into ${envFile()}.`,
    )
  if (alloyUserId === undefined)
    throw new Error(
      `ALLOY_USER_ID environment variable is required, because ${alloyBaseUrl} is not on this machine. Put the user's ID into ${envFile()}; on a Mortise hub ALLOY_USER_ID=me stands for the owner of the key.`,
    )
  return { alloyApiKey, alloyUserId, alloyBaseUrl, connectionId: setting('CONNECTION_ID') }
}

/** A setting of the environment or the file; an empty one counts as not set. */
export const setting = (name: string): string | undefined => process.env[name]?.trim() || undefined

/** The port of the web application. */
export const portSetting = (): number => {
  const port = Number(setting('PORT') ?? '3000')
  if (!Number.isInteger(port) || port < 0 || port > 65535)
    throw new Error('PORT must be a port number. Correct it in .env or in the environment.')
  return port
}

const baseUrlOf = (text: string): string => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password || url.search || url.hash)
    throw new Error(
      `ALLOY_BASE_URL must be an http or https URL such as ${defaultBaseUrl}, without user, query or fragment. Correct it in ${envFile()}.`,
    )
  return url.href.replace(/\/+$/, '')
}

/** Whether a URL never leaves this machine (RFC 6761 §6.3). */
export const isLoopback = (url: string): boolean => isLoopbackName(new URL(url).hostname)

export const isLoopbackName = (hostname: string): boolean =>
  hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname)

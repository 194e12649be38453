/** A JWT for a page of yours: the endpoint that S3 found, then every other spelling that has been seen. */
import { AlloyError, alloyHttp, isObject, messageOf } from './alloy-http.ts'
import type { AppConfig } from './config.ts'

export interface JwtToken {
  readonly token: string
  readonly expiresAt: Date | undefined
  /** Which spelling of the request was answered. */
  readonly endpoint: string
}

interface Spelling {
  readonly method: 'get' | 'post'
  readonly prefix: string
  readonly version: string
}

/** In the order of alternatives: S3's form, its older versions, versions in the path, S0's POST. */
const spellings: readonly Spelling[] = [
  { method: 'get', prefix: '', version: '2025-09' },
  { method: 'get', prefix: '', version: '2024-02' },
  { method: 'get', prefix: '', version: '2023-12' },
  { method: 'get', prefix: '/2025-09', version: '2025-09' },
  { method: 'get', prefix: '/2024-02', version: '2024-02' },
  { method: 'post', prefix: '', version: '2025-09' },
  { method: 'post', prefix: '', version: '2024-02' },
  { method: 'post', prefix: '', version: '2023-12' },
  { method: 'post', prefix: '/2023-12', version: '2023-12' },
]

export const fetchToken = async (config: AppConfig): Promise<JwtToken> => {
  const http = alloyHttp({ baseUrl: config.alloyBaseUrl, apiKey: config.alloyApiKey })
  const failures: string[] = []
  for (const { method, prefix, version } of spellings) {
    const path = `${prefix}/users/${encodeURIComponent(config.alloyUserId)}/token`
    const endpoint = `${method.toUpperCase()} ${config.alloyBaseUrl}${path} (x-api-version: ${version})`
    const options = { headers: { 'x-api-version': version } }
    try {
      const { data } = method === 'get' ? await http.get(path, options) : await http.post(path, undefined, options)
      const token = tokenIn(data)
      if (token !== undefined) return { token, expiresAt: expiryOf(token), endpoint }
      failures.push(`${endpoint}: the answer holds no JWT`)
    } catch (error) {
      // Nothing answers, or the key is wrong: no other spelling changes that.
      if (!(error instanceof AlloyError) || error.status === 0 || error.status === 401) throw error
      failures.push(`${endpoint}: ${error.status} ${messageOf(error)}`)
    }
  }
  throw new Error(
    `No endpoint gave a JWT for the user ${config.alloyUserId}. Check ALLOY_USER_ID, and what the key may do. What was tried:\n${failures.map(each => `  ${each}`).join('\n')}`,
  )
}

const tokenIn = (answer: unknown): string | undefined => {
  const body = isObject(answer) ? answer : {}
  const inner = isObject(body['data']) ? body['data'] : {}
  return [body['token'], inner['token'], body['access_token'], body['jwt'], answer].find(
    (each): each is string => typeof each === 'string' && /^[\w-]+\.[\w-]+\.[\w-]+$/.test(each) && each.length > 50,
  )
}

/** What the token says of itself (RFC 7519 §4.1.4). Its signature is the server's affair. */
const expiryOf = (token: string): Date | undefined => {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
    return isObject(claims) && typeof claims['exp'] === 'number' ? new Date(claims['exp'] * 1000) : undefined
  } catch {
    return undefined
  }
}

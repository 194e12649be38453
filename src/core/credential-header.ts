/** How a credential is shown to the provider: the one place that opens it for a call of the API. */
import type { Credential } from './credential.ts'
import type { Provider } from './provider.ts'

/** Name, in lower case, and value. A key that an end user gave may travel otherwise than a token (`keys.kinds`). */
export const credentialHeader = (provider: Provider, credential: Credential): Record<string, string> => {
  const { api } = provider
  const kind = credential.kind === 'oauth2' ? undefined : provider.keys?.kinds[credential.kind]
  const secret = credential.accessToken.reveal()
  const basic = credential.kind === 'basic'
  const prefix = kind?.prefix ?? (basic ? 'Basic ' : api.prefix)
  const shown = basic ? Buffer.from(secret).toString('base64') : secret
  return { [(kind?.header ?? api.header).toLowerCase()]: prefix + shown }
}

/** What a caller gives for the params of a provider. */
import { didYouMean } from '../core/alike.ts'
import { badParameter } from '../core/errors.ts'
import type { Provider } from '../core/provider.ts'

/** Only what the provider asks for: it is kept with the connection, and shown. */
export const paramsOf = (given: unknown, provider: Provider): Record<string, string> => {
  if (given === undefined || given === null) return {}
  if (typeof given !== 'object' || Array.isArray(given)) throw badParameter('params', 'params must be an object.')
  const known = Object.keys(provider.params)
  for (const [name, value] of Object.entries(given)) {
    if (!known.includes(name))
      throw badParameter(
        `params[${name.slice(0, 80)}]`,
        `${provider.name} asks for no "${name.slice(0, 80)}"${didYouMean(name.slice(0, 80), known)}; it asks for: ${known.join(', ') || 'nothing'}.`,
      )
    if (typeof value !== 'string' || !/^[^\p{Cc}]{0,255}$/u.test(value))
      throw badParameter(`params[${name}]`, 'Each of params must be a text of at most 255 characters.')
  }
  return { ...(given as Record<string, string>) }
}

/**
 * URL templates of provider definitions. The danger is a value that moves the URL to another host, so nothing is ever
 * decoded, a value in a host must be one DNS label, and the finished URL is parsed and compared with what was meant.
 */
import { badParameter } from './errors.ts'
import { parseUrl } from './loopback.ts'
import type { Provider, ProviderInput } from './provider.ts'

export interface TemplateValues {
  readonly config: Readonly<Record<string, string>>
  readonly settings: Readonly<Record<string, string>>
}

const label = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i
const segment = /^[A-Za-z0-9._~-]{1,255}$/
const host = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*(:\d{1,5})?$/i
const whole = /^\$\{config\.(\w+)\}(\/.*)?$/
const variable = /\$\{(config|settings)\.(\w+)\}/g

/** The names that a template uses, as `config.x` and `settings.x`. */
export const variables = (template: string): string[] =>
  [...template.matchAll(variable)].map(match => `${match[1]}.${match[2]}`)

const refuse = (name: string, what: string): never => {
  throw badParameter(name, `The value of ${name} ${what}.`)
}

/** Checks one given value by its kind. `name` is how the caller knows it, e.g. `params[subdomain]`. */
export const checkInput = (name: string, kind: ProviderInput['kind'], value: string): void => {
  if (kind === 'label' && !label.test(value))
    refuse(name, 'must be one DNS label: letters, digits and hyphens, no dots')
  if (kind === 'segment' && (!segment.test(value) || /^\.+$/.test(value)))
    refuse(name, 'must be letters, digits and . _ ~ - only')
  if (kind === 'host' && !host.test(value)) refuse(name, 'must be a host name, with a port at most')
}

/** Given values checked, defaults filled in; a required one that is missing is named. */
export const fillInputs = (
  inputs: Readonly<Record<string, ProviderInput>>,
  given: Readonly<Record<string, string>>,
  nameOf: (name: string) => string,
): Record<string, string> => {
  const filled: Record<string, string> = { ...given }
  for (const [name, input] of Object.entries(inputs)) {
    const value = given[name] ?? input.default
    if (value === undefined)
      throw badParameter(
        nameOf(name),
        `${nameOf(name)} is missing: ${input.title}${input.example === undefined ? '' : `, for example ${input.example}`}.`,
      )
    checkInput(nameOf(name), input.kind, value)
    filled[name] = value
  }
  return filled
}

/** Whether a host ends in one of the suffixes (`.example.com`) on a label boundary; the suffix alone does not count. */
export const endsInSuffix = (hostname: string, suffixes: readonly string[]): boolean =>
  suffixes.some(suffix => hostname.length > suffix.length && hostname.toLowerCase().endsWith(suffix))

/** Whether a host is one of those named: exactly, or below a `*.suffix`. */
export const isNamedHost = (hostname: string, named: readonly string[]): boolean =>
  named.some(each => (each.startsWith('*.') ? endsInSuffix(hostname, [each.slice(1)]) : each === hostname))

/** An https origin whose host the definition allows for this kept fact, or undefined. */
export const keptOrigin = (value: string, suffixes: readonly string[]): string | undefined => {
  const url = parseUrl(value)
  return url?.protocol === 'https:' &&
    url.username === '' &&
    url.password === '' &&
    url.port === '' &&
    endsInSuffix(url.hostname, suffixes)
    ? url.origin
    : undefined
}

/** The finished URL. Throws `invalid_request` for a value that may not stand where it would. */
export const expandUrl = (provider: Provider, template: string, values: TemplateValues): URL => {
  const kept = whole.exec(template)
  if (kept) {
    const name = kept[1] ?? ''
    const origin = keptOrigin(values.config[name] ?? '', provider.config[name]?.host ?? [])
    if (origin === undefined) return refuse(name, `is not a URL on a host of ${provider.name}`)
    return new URL(origin + expandText(provider, kept[2] ?? '', values))
  }
  const [, scheme = '', hostPart = '', rest = ''] = /^(https?:\/\/)([^/?#]*)(.*)$/.exec(template) ?? []
  const expectedHost = hostPart.replace(variable, (_, space: string, name: string) => {
    const value = templateValue(provider, values, space, name)
    // A whole host is the operator's choice alone; what a caller gives is never more than one label.
    const kind = space === 'settings' && provider.settings[name]?.kind === 'host' ? 'host' : 'label'
    checkInput(space === 'config' ? `params[${name}]` : name, kind, value)
    return value
  })
  const url = parseUrl(scheme + expectedHost + expandText(provider, rest, values))
  // The host that a browser would go to is the one that is meant, letter for letter, and so ends in what the template
  // spells out after its last value.
  const meant = expectedHost.toLowerCase().replace(scheme === 'https://' ? /:443$/ : /:80$/, '')
  if (url?.username !== '' || url.password !== '' || url.host !== meant)
    return refuse(hostPart, `does not make a URL of ${provider.name}`)
  return url
}

const templateValue = (provider: Provider, values: TemplateValues, space: string, name: string): string => {
  const value =
    space === 'config'
      ? (values.config[name] ?? provider.params[name]?.default)
      : (values.settings[name] ?? provider.settings[name]?.default)
  if (value === undefined || value === '') {
    const missing = space === 'config' ? `params[${name}]` : `the setting ${name}`
    throw badParameter(missing, `${missing} is missing; ${provider.name} needs it.`)
  }
  return value
}

/** Text with its values percent-encoded, for a path or a query. */
const expandText = (provider: Provider, text: string, values: TemplateValues): string =>
  text.replace(variable, (_, space: string, name: string) => {
    const value = templateValue(provider, values, space, name)
    if (/^\.+$/.test(value)) return refuse(name, 'must not be made of dots')
    return encodeURIComponent(value)
  })

/**
 * Text outside of a URL, with its values as they are: a header, or what is signed. `more`: what stands for further `${x}`.
 * Throws `invalid_request` for a value that would end a line.
 */
export const expandPlain = (
  provider: Provider,
  text: string,
  values: TemplateValues,
  more: Readonly<Record<string, string>> = {},
): string => {
  if (!text.includes('${')) return text
  return text.replaceAll(/\$\{(?:(config|settings)\.)?(\w+)\}/g, (whole, space: string | undefined, name: string) => {
    if (space === undefined) return Object.hasOwn(more, name) ? (more[name] ?? whole) : whole
    const value = templateValue(provider, values, space, name)
    return /^[\x20-\x7e]*$/.test(value) ? value : refuse(name, 'must be plain ASCII')
  })
}

/** The operator's verbs: environments, keys, allow-lists, integrations. */
import { didYouMean } from './alike.ts'
import type { Context } from './context.ts'
import { Secret } from './credential.ts'
import type { AllowKind, Environment, NewKey, Scope, SecretKey } from './environment.ts'
import { MortiseError } from './errors.ts'
import { newId, newKeyText, newNumber } from './ids.ts'
import { type Integration, integrationKey } from './integration.ts'
import { checkDisplayName } from './integrations.ts'
import { hmacKeyPrefix, newSecretKey, publicKeyPrefix } from './keys.ts'
import { changedLimits, type LimitsChange } from './limits.ts'
import { isSecureUrl, parseUrl } from './loopback.ts'
import { fillInputs } from './template.ts'

/** The environment that exists from the first start. */
export const firstEnvironment = 'dev'

const environmentName = /^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/

export const checkEnvironmentName = (name: string): void => {
  if (environmentName.test(name)) return
  throw new MortiseError(
    'invalid_request',
    `"${name}" can't name an environment: up to 40 lower-case letters, digits and hyphens.`,
  )
}

export const addEnvironment = async (context: Context, name: string): Promise<Environment> => {
  checkEnvironmentName(name)
  const id = newNumber()
  const environment: Environment = {
    id,
    name,
    publicKey: newKeyText(publicKeyPrefix, 16),
    wrappedKey: context.seal.newKey(id),
    tellsLatest: false,
    createdAt: context.clock.now(),
  }
  if (await context.storage.addEnvironment(environment)) return environment
  throw new MortiseError('conflict', `There is an environment "${name}" already.`)
}

/** The environment of the first start; made if it is missing, by whichever process is first. */
export const ensureFirstEnvironment = async (context: Context): Promise<Environment> => {
  const find = async () => (await context.storage.environments()).find(each => each.name === firstEnvironment)
  const known = await find()
  if (known) return known
  try {
    return await addEnvironment(context, firstEnvironment)
  } catch (thrown) {
    const other = await find()
    if (other) return other
    throw thrown
  }
}

export const environmentNamed = async (context: Context, name: string): Promise<Environment> => {
  const all = await context.storage.environments()
  const found = all.find(each => each.name === name)
  if (found) return found
  throw new MortiseError(
    'not_found',
    `There is no environment "${name}"; there are: ${all.map(each => each.name).join(', ') || 'none'}.`,
  )
}

/** Turns the HMAC of browser starts on (a new key, shown once) or off. */
export const setHmac = async (context: Context, environment: Environment, on: boolean): Promise<Secret | undefined> => {
  if (!on) {
    await context.storage.setHmacKey(environment.id, undefined)
    return undefined
  }
  const secret = new Secret(newKeyText(hmacKeyPrefix))
  const sealer = await context.sealerOf(environment.id)
  await context.storage.setHmacKey(environment.id, sealer.seal(hmacPlace(environment), secret.reveal()))
  return secret
}

const hmacPlace = (environment: Environment) => ['environments', String(environment.id), 'hmac_key'] as const

export const hmacKeyOf = async (context: Context, environment: Environment): Promise<Secret | undefined> =>
  environment.hmacKey
    ? new Secret((await context.sealerOf(environment.id)).open(hmacPlace(environment), environment.hmacKey))
    : undefined

/** A redirect is kept without its query; an origin is scheme, host and port. Off loopback, both must be https. */
export const normaliseAllowed = (kind: AllowKind, text: string): string => {
  const url = parseUrl(text)
  if (!url || !isSecureUrl(url))
    throw new MortiseError(
      'invalid_request',
      `"${text}" must be an absolute https URL (http only on loopback), like https://app.example.com/connected`,
    )
  if (kind === 'redirect') {
    if (url.search !== '' || text.includes('#'))
      throw new MortiseError(
        'invalid_request',
        'Give the URL without query and fragment; a flow may add its own query.',
      )
    return url.origin + url.pathname
  }
  if (url.pathname !== '/' || url.search !== '' || text.includes('#'))
    throw new MortiseError('invalid_request', 'An origin is scheme, host and port only, like https://app.example.com')
  return url.origin
}

export const addKey = async (
  context: Context,
  environment: Environment,
  name: string,
  scopes: readonly Scope[],
): Promise<NewKey> => {
  if (name.trim() === '' || name.length > 100)
    throw new MortiseError(
      'invalid_request',
      'A key needs a name of 1 to 100 characters, so that you can tell it from others.',
    )
  const made = newSecretKey(environment.id, name, scopes, context.clock.now())
  await context.storage.addKey(made.key)
  return made
}

export const keysOf = async (context: Context, environment: Environment): Promise<SecretKey[]> =>
  (await context.storage.keys()).filter(key => key.environmentId === environment.id)

interface NewIntegration {
  readonly key: string
  readonly provider: string
  readonly clientId: string
  readonly clientSecret: Secret
  /** Undefined: the definition's default. */
  readonly scopes?: readonly string[]
  readonly settings?: Readonly<Record<string, string>>
  /** The app's own callback, where the provider has that registered. */
  readonly redirectUri?: string
  readonly displayName?: string
  readonly limits?: LimitsChange
  /** Only `dev` may. */
  readonly sandbox?: boolean
}

export const addIntegration = async (
  context: Context,
  environment: Environment,
  ask: NewIntegration,
): Promise<Integration> => {
  const provider = context.catalogue.get(ask.provider)
  if (!provider)
    throw new MortiseError(
      'invalid_request',
      `There is no provider "${ask.provider}"${didYouMean(
        ask.provider,
        context.catalogue.list().map(each => each.id),
      )}; there are: ${context.catalogue
        .list()
        .map(each => each.id)
        .join(', ')}.`,
    )
  if (!integrationKey.test(ask.key))
    throw new MortiseError(
      'invalid_request',
      `"${ask.key}" can't name an integration: up to 100 letters, digits and . _ ~ -, beginning with a letter or digit.`,
    )
  if (ask.clientId === '') throw new MortiseError('invalid_request', 'The client id is empty.')
  if (ask.clientSecret.reveal() === '') throw new MortiseError('invalid_request', 'The client secret is empty.')
  for (const name of Object.keys(ask.settings ?? {}))
    if (!Object.hasOwn(provider.settings, name))
      throw new MortiseError(
        'invalid_request',
        `${provider.name} has no setting "${name}"; it has: ${Object.keys(provider.settings).join(', ') || 'none'}.`,
      )
  if (ask.sandbox && !context.maySandbox)
    throw new MortiseError('forbidden', 'A hub in production has no sandbox integrations.')
  const limits = changedLimits(undefined, ask.limits ?? {})
  const now = context.clock.now()
  const id = newId(now)
  const sealer = await context.sealerOf(environment.id)
  const integration: Integration = {
    environmentId: environment.id,
    id,
    key: ask.key,
    provider: provider.id,
    clientId: ask.clientId,
    clientSecret: sealer.seal(['integrations', id, 'client_secret'], ask.clientSecret.reveal()),
    scopes: ask.scopes ?? provider.authorize.scopes?.default ?? [],
    settings: fillInputs(provider.settings, ask.settings ?? {}, name => `--setting ${name}`),
    ...(ask.redirectUri === undefined ? {} : { redirectUri: normaliseAllowed('redirect', ask.redirectUri) }),
    ...(ask.displayName === undefined ? {} : { displayName: checkDisplayName(ask.displayName) }),
    ...(limits === undefined ? {} : { limits }),
    sandbox: ask.sandbox ?? false,
    createdAt: now,
    updatedAt: now,
  }
  if (await context.storage.addIntegration(integration)) return integration
  const other = await context.storage.integration(environment.id, ask.key)
  throw new MortiseError(
    'conflict',
    other?.sandbox && !ask.sandbox
      ? `The name "${ask.key}" is taken by the sandbox integration that mortise dev made. Give yours another, like ${ask.key}-app.`
      : `There is an integration "${ask.key}" in this environment already.`,
    { reason: 'integration_taken', parameter: 'unique_key' },
  )
}

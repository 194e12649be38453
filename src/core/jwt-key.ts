/** The key that an environment's JWTs are signed with: made when the first is asked for, sealed like every secret. */
import type { Context } from './context.ts'
import { Secret } from './credential.ts'
import type { Environment } from './environment.ts'
import { newNonce } from './ids.ts'

const place = (environmentId: number) => ['environments', String(environmentId), 'jwt_key'] as const

/** Whoever is first makes it; every process then has the same one. */
export const jwtKeyOf = async (context: Context, environmentId: number): Promise<Secret> => {
  const sealer = await context.sealerOf(environmentId)
  const { jwtKey } = await context.environmentOf(environmentId)
  const sealed =
    jwtKey ?? (await context.storage.setJwtKey(environmentId, sealer.seal(place(environmentId), newNonce())))
  return new Secret(sealer.open(place(environmentId), sealed))
}

/** Another key: every JWT that was given out stops working at once. */
export const renewJwtKey = async (context: Context, environment: Pick<Environment, 'id'>): Promise<void> => {
  const sealer = await context.sealerOf(environment.id)
  await context.storage.renewJwtKey(environment.id, sealer.seal(place(environment.id), newNonce()))
}

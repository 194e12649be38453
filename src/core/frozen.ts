/** An environment that was frozen, to be moved to another hub: what is refused here until it is moved, or unfrozen. */
import type { Context } from './context.ts'
import type { Environment } from './environment.ts'
import { MortiseError } from './errors.ts'

export const frozen = (environment: Pick<Environment, 'name' | 'frozenAt'>): MortiseError =>
  new MortiseError(
    'conflict',
    `The environment "${environment.name}" was frozen${environment.frozenAt ? ` at ${environment.frozenAt.toISOString()}` : ''} to be moved to another hub: nothing is connected, refreshed or changed here any more. Its operator must point the app at the new hub, or undo it as long as no other hub has the data: npx mortise env unfreeze`,
    { reason: 'environment_frozen' },
  )

/** Throws `conflict` (environment_frozen): before anything is begun or exchanged that could not be kept. */
export const mustNotBeFrozen = async (context: Context, environmentId: number): Promise<void> => {
  const environment = await context.environmentOf(environmentId)
  if (environment.frozenAt) throw frozen(environment)
}

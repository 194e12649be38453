/** What the provider of the bench answers: about as long as a real one's, so that a read answers some 900 bytes. */
import { randomBytes } from 'node:crypto'

export const tokenAnswer = (index: number) => ({
  access_token: `bench-at-${index}-${randomBytes(96).toString('base64url')}`,
  refresh_token: `bench-rt-${index}-${randomBytes(48).toString('base64url')}`,
  expires_in: 86_400,
  token_type: 'bearer',
  scope: 'contacts.read contacts.write deals.read',
  hub_id: index,
  user: { id: `user-${index}`, email: `person-${index}@example.com`, name: 'Ada Lovelace' },
})

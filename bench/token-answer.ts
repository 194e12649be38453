/** What the provider of the bench answers: about as long as a real one's, so that a read answers some 900 bytes. */
import { randomBytes } from 'node:crypto'

/** Random once: the index alone tells tokens apart, and a million are made. */
const [long, short] = [randomBytes(96).toString('base64url'), randomBytes(48).toString('base64url')]

export const tokenAnswer = (index: number) => ({
  access_token: `bench-at-${index}-${long}`,
  refresh_token: `bench-rt-${index}-${short}`,
  expires_in: 86_400,
  token_type: 'bearer',
  scope: 'contacts.read contacts.write deals.read',
  hub_id: index,
  user: { id: `user-${index}`, email: `person-${index}@example.com`, name: 'Ada Lovelace' },
})

import type { Account } from '../expectation.ts'

/** Two workspaces, and in the first of them two people. */
export const accounts: readonly Account[] = [
  {
    id: '6f1f2a54-51b6-4f0b-9d1c-8a9b2f1d7e11',
    name: 'Acme',
    person: { id: '0a1b2c3d-9c2e-4b1a-8f57-3d2e1c0b9a88', name: 'Ada Lovelace', email: 'ada@acme.example' },
  },
  {
    id: 'c2d9e8f7-3a4b-4c5d-8e6f-7a8b9c0d1e22',
    name: 'Globex',
    person: { id: '9e8d7c6b-5a4f-4e3d-a2c1-b0a9f8e7d6c5', name: 'Grace Hopper', email: 'grace@globex.example' },
  },
  {
    id: '6f1f2a54-51b6-4f0b-9d1c-8a9b2f1d7e11/charles',
    name: 'Acme',
    person: { id: '5d4c3b2a-1f0e-4d9c-8b7a-6f5e4d3c2b1a', name: 'Charles Babbage', email: 'charles@acme.example' },
  },
]

/** The account as Notion knows it: what follows a slash in its id tells two people of one workspace apart, here only. */
export const inWorkspace = (account: Account): Account => ({ ...account, id: account.id.split('/')[0] ?? account.id })

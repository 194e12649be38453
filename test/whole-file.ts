import { after, type TestContext } from 'node:test'

/** For what all tests of a file share: it ends when they have. To be called where the file begins. */
export const wholeFile = (): Pick<TestContext, 'after'> => {
  const ends: (() => unknown)[] = []
  after(async () => {
    for (const end of ends) await end()
  })
  return { after: end => void ends.push(end as () => unknown) }
}

/** What a definition may say of refresh tokens, and what is refused. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { readProvider } from './catalogue.ts'
import { problemText } from './yaml-file.ts'

const rest = `name: Acme
docs: [https://docs.acme.example/oauth]
auth: oauth2
api: { base: https://api.acme.example }
authorize: { url: https://acme.example/authorize }
token: { url: https://acme.example/token, client: body }
`

const read = (refresh: string) => readProvider('dir/acme.yaml', `${refresh}\n${rest}`)

suite('the keys under refresh', () => {
  test('stand as they are given, and the careful defaults for what is not said', () => {
    const defaults = {
      rotates: true,
      ahead: 0.15,
      margin: 300,
      survives: false,
      permanent: [],
      transient: [],
      unspent: [],
    }
    const said = {
      rotates: true,
      grace: 1800,
      idle: 5_184_000,
      ahead: 0.5,
      margin: 60,
      survives: true,
      permanent: ['gone'],
      transient: ['busy'],
      unspent: [502, 503],
    }
    for (const [given, expected] of [
      [{ rotates: true }, defaults],
      [said, said],
    ]) {
      const found = read(`refresh: ${JSON.stringify(given)}`)
      assert.ok('provider' in found, JSON.stringify(found))
      assert.deepEqual(found.provider.refresh, expected)
    }
  })

  for (const [what, text, problems] of [
    [
      'numbers about refresh tokens that cannot be',
      `refresh:\n  rotates: true\n  grace: 0\n  idle: 1.5\n  ahead: 1\n  margin: -1\n  unspent: [500, 429]\n`,
      [
        'dir/acme.yaml:3: refresh.grace: Too small: expected number to be >0',
        'dir/acme.yaml:4: refresh.idle: Invalid input: expected int, received number',
        'dir/acme.yaml:5: refresh.ahead: Too big: expected number to be <1',
        'dir/acme.yaml:6: refresh.margin: Too small: expected number to be >0',
        'dir/acme.yaml:7: refresh.unspent.1: Too small: expected number to be >=500',
      ],
    ],
    [
      'other words about refresh tokens than it has',
      `refresh:\n  rotates: maybe\n  survives: 60\n  permanent: gone\n  transient: [503]\n`,
      [
        'dir/acme.yaml:2: refresh.rotates: Invalid input: expected boolean, received string',
        'dir/acme.yaml:3: refresh.survives: Invalid input: expected boolean, received number',
        'dir/acme.yaml:4: refresh.permanent: Invalid input: expected array, received string',
        'dir/acme.yaml:5: refresh.transient.0: Invalid input: expected string, received number',
      ],
    ],
    [
      'an error that would be final and not final',
      `refresh:\n  rotates: true\n  permanent: [gone, slow_down]\n  transient: [busy, gone, invalid_grant]\n`,
      [
        'dir/acme.yaml:3: refresh.permanent: slow_down means everywhere that the same request may work later',
        'dir/acme.yaml:4: refresh.transient: gone means that only the end user can repair it, so not that it may work later',
        'dir/acme.yaml:4: refresh.transient: invalid_grant means that only the end user can repair it, so not that it may work later',
      ],
    ],
    [
      'a grace for what is never spent',
      `refresh:\n  rotates: false\n  grace: 60\n`,
      [
        'dir/acme.yaml:3: refresh.grace: is without effect where a use does not spend the refresh token (rotates: false)',
      ],
    ],
  ] as const)
    test(`are refused for ${what}`, () => {
      const found = read(text)
      assert.deepEqual('problems' in found ? found.problems.map(problemText).sort() : [], problems)
    })
})

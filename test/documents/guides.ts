/**
 * The blocks of the three guides, and what runs them. What is changed in them is here: the address of the hub, and port 3000
 * of the app. Ids, codes and keys come from the environment, as the guides say.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { answersOf, type KeyedHub, python, root, type Settings, shell, type Tests, typescript } from './run.ts'

export const flow = 'oauth-flow-guide'
export const ids = 'getting-connection-id'
export const sdk = 'frontend-sdk-guide'

export interface Block {
  readonly guide: string
  /** The anchor of its section. */
  readonly section: string
  readonly language: string
  readonly text: string
}

export const read = (page: string): string => readFileSync(join(root, 'docs', `${page}.md`), 'utf8')

export const blocks: readonly Block[] = [flow, ids, sdk].flatMap(guide => {
  let section = ''
  return [...read(guide).matchAll(/^<a id="([\w-]+)"><\/a>$|^```(\w+)\n([\s\S]*?)\n```$/gm)].flatMap(
    ([, anchor, language = '', text = '']) => {
      section = anchor ?? section
      return anchor === undefined ? [{ guide, section, language, text }] : []
    },
  )
})

/** Those that a test has taken. */
export const used = new Set<Block>()

/** The text of a block, the n-th of its language in its section. */
export const textOf = (guide: string, section: string, language: string, index = 0): string => {
  const block = blocks.filter(each => each.guide === guide && each.section === section && each.language === language)[
    index
  ]
  assert.ok(block, `${guide}#${section} has no ${language}`)
  used.add(block)
  return block.text
}

export const languages = ['sh', 'ts', 'python'] as const
export type Language = (typeof languages)[number]

/** A program: the block of "Before you start", then the one that is meant. */
export const program = (guide: string, section: string, language: string): string =>
  `${textOf(guide, 'set-up', language)}\n\n${textOf(guide, section, language)}\n`

/** Puts the hub of the test in the place of the one that is printed. */
export const at = (hub: KeyedHub, text: string): string => text.replaceAll('http://localhost:3003', hub.origin)

export const onPort = (port: number, text: string): string => {
  assert.match(text, /listen\(3000|"localhost", 3000|localhost:3000/)
  return text
    .replaceAll('localhost:3000', `localhost:${port}`)
    .replace('listen(3000', `listen(${port}`)
    .replace('"localhost", 3000', `"localhost", ${port}`)
}

/** Runs a step in one of the three languages. Gives what it prints; of curl, the answer, after its status was 200. */
export const step = async (
  t: Tests,
  hub: KeyedHub,
  [guide, section]: readonly [string, string],
  language: Language,
  settings: Settings = {},
): Promise<string> => {
  const all = { ...hub.settings, ...settings }
  if (language === 'sh') {
    const answers = answersOf(await shell(t, at(hub, textOf(guide, section, 'sh')), all))
    for (const answer of answers) assert.ok(answer.status === 200 || answer.status === 201, answer.body)
    return answers.map(answer => answer.body).join('\n')
  }
  const ended = await { ts: typescript, python }[language](t, program(guide, section, language), all)
  assert.equal(ended.code, 0, ended.stderr)
  return ended.stdout
}

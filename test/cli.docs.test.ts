/** docs/cli.md names the commands and exit codes that there are, and no other. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { exitCodes } from '../src/command.ts'
import { commands } from '../src/commands.ts'

const text = readFileSync(new URL('../docs/cli.md', import.meta.url), 'utf8')

test('the exit codes are those of the program, sentence by sentence', () => {
  const rows = [...text.matchAll(/^\| (\d+) \| (.+) \|$/gm)].map(([, code, means]) => [code, means])
  assert.deepEqual(rows, Object.entries(exitCodes))
})

test('every command that is shown is one, with options that it has', () => {
  const lines = [...text.matchAll(/npx mortise ([a-z][^\n`|]*)/g)].map(match => match[1] ?? '')
  assert.ok(lines.length >= 10)
  for (const line of lines) {
    const words = line.trim().split(/\s+/)
    if (words[0] === 'help') continue
    const command = commands.find(each => each.name.split(' ').every((word, index) => words[index] === word))
    assert.ok(command, line)
    for (const option of words.filter(word => word.startsWith('--')))
      assert.ok(Object.hasOwn(command.options ?? {}, option.slice(2).split('=')[0] ?? ''), `${line}: ${option}`)
  }
})

test('every noun is named', () => {
  for (const { name } of commands) {
    const [noun = ''] = name.split(' ')
    assert.match(text, new RegExp(`\`(npx mortise )?${noun}\\b`), noun)
  }
})

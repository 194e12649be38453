/** Asks a person for a secret without showing it, or reads it from standard input. */
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { Secret } from './core/credential.ts'

export const readSecret = async (question: string): Promise<Secret> => {
  const { stdin } = process
  if (!stdin.isTTY) {
    let text = ''
    for await (const chunk of stdin) text += chunk
    return new Secret(text.trim())
  }
  process.stderr.write(question)
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const terminal = createInterface({ input: stdin, output: silent, terminal: true })
  try {
    return new Secret((await terminal.question('')).trim())
  } finally {
    terminal.close()
    process.stderr.write('\n')
  }
}

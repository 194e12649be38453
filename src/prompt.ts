/** Asks a person: for a text, for a secret without showing it, for a yes. Or reads a secret from standard input. */
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { StoppedError } from './command.ts'
import { Secret } from './core/credential.ts'

/** Whether a person can be asked. Questions go to standard error: what is piped on is answers only. */
export const mayAsk = (): boolean => process.stdin.isTTY === true && process.stderr.isTTY === true

const answer = async (question: string, hidden: boolean): Promise<string> => {
  if (hidden) process.stderr.write(question)
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const terminal = createInterface({
    input: process.stdin,
    output: hidden ? silent : process.stderr,
    terminal: true,
    historySize: 0,
  })
  const stopped = Promise.withResolvers<never>()
  const stop = () => stopped.reject(new StoppedError('Stopped; nothing was changed.'))
  terminal.once('SIGINT', () => {
    process.stderr.write('\n')
    stop()
  })
  // Ctrl+D: no answer will come.
  terminal.once('close', stop)
  try {
    return (await Promise.race([terminal.question(hidden ? '' : question), stopped.promise])).trim()
  } finally {
    terminal.close()
    if (hidden) process.stderr.write('\n')
  }
}

export const ask = (question: string): Promise<string> => answer(question, false)

/** Only a plain yes is one. */
export const confirm = async (question: string): Promise<boolean> =>
  /^y(es)?$/i.test(await answer(`${question} [y/N] `, false))

export const readSecret = async (question: string): Promise<Secret> => {
  const { stdin } = process
  if (stdin.isTTY) return new Secret(await answer(question, true))
  let text = ''
  for await (const chunk of stdin) text += chunk
  return new Secret(text.trim())
}

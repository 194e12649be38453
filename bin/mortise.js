#!/usr/bin/env node
// The start guard, in plain JavaScript so that an old Node can read it: Mortise needs Node 24 or later, and finds the
// one that it pins (the npm package `node`) when it is started by an older one.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import * as module from 'node:module'
import { fileURLToPath } from 'node:url'

if (Number(process.versions.node.split('.')[0]) >= 24) {
  // The second start finds everything compiled.
  module.enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/mortise', import.meta.url)))
  await import('../src/cli.ts')
} else {
  const pinned = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url))
  if (existsSync(pinned)) {
    const child = spawn(pinned, process.argv.slice(1), { stdio: 'inherit' })
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
    child.on('exit', (code, signal) => {
      process.exitCode = code ?? (signal ? 1 : 0)
    })
  } else {
    console.error(
      `Mortise needs Node.js 24 or later; this is ${process.version}. Run \`npm ci\`, which brings the right one, or install it.`,
    )
    process.exitCode = 1
  }
}

/**
 * Loaded before the documents' TypeScript, which then runs as printed: `./src/x` and `./src/x.js` are the application's
 * `x.ts`, and what listens on a port alone listens on loopback.
 */
import { registerHooks } from 'node:module'
import { Server } from 'node:net'

registerHooks({
  resolve: (specifier, context, next) =>
    next(/^\.\/src\/[\w-]+(\.js)?$/.test(specifier) ? `${specifier.replace(/\.js$/, '')}.ts` : specifier, context),
})

const { listen } = Server.prototype
Server.prototype.listen = function (this: Server, ...args: unknown[]) {
  const [port, second] = args
  const open = typeof port === 'number' && typeof second !== 'string'
  return Reflect.apply(listen, this, open ? [port, '127.0.0.1', ...args.slice(1)] : args)
}

// Preloaded (`node --require`): the vendor's hosts lead to TEST_FRONT, a port of this machine. TLS stays as it is: the
// certificate must be one for the host that the client asked for.
const https = require('node:https')

const port = Number(process.env.TEST_FRONT)
const connect = https.Agent.prototype.createConnection
https.Agent.prototype.createConnection = function (options, ...rest) {
  if (!/\.runalloy\.com$/.test(options.host ?? '')) throw new Error(`${options.host} is not rerouted`)
  const servername = options.servername || options.host
  return connect.call(this, { ...options, servername, host: '127.0.0.1', hostname: '127.0.0.1', port }, ...rest)
}

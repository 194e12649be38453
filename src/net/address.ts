/** Which addresses a provider may live at: public ones. Everything else must be named by the operator. */
import { BlockList, isIP } from 'node:net'

// RFC 6890 (special-purpose addresses) and its registry. A list for each family: in one list, an IPv4 address is also
// compared with the IPv6 nets, as ::ffff:0:0/96, and all of that lies in ::/3.
const special4 = new BlockList()
const special6 = new BlockList()
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const)
  special4.addSubnet(net, bits, 'ipv4')
// Of IPv6, only 2000::/3 is global unicast; of that, the parts that are special or that carry an IPv4 address.
for (const [net, bits] of [
  ['::', 3],
  ['4000::', 2],
  ['8000::', 1],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const)
  special6.addSubnet(net, bits, 'ipv6')

/** Whether an IP literal is a public address. */
export const isPublic = (address: string): boolean => {
  const family = isIP(address)
  if (family === 4) return !special4.check(address, 'ipv4')
  return family === 6 && !special6.check(address, 'ipv6')
}

import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { isPublic } from './address.ts'

suite('an address', () => {
  test('is public outside the special-purpose registries (RFC 6890)', () => {
    for (const address of [
      '1.1.1.1',
      '8.8.8.8',
      '9.255.255.255',
      '11.0.0.0',
      '100.63.255.255',
      '100.128.0.0',
      '126.255.255.255',
      '128.0.0.0',
      '169.253.255.255',
      '169.255.0.0',
      '172.15.255.255',
      '172.32.0.0',
      '192.0.1.0',
      '192.167.255.255',
      '192.169.0.0',
      '198.17.255.255',
      '198.20.0.0',
      '223.255.255.255',
      '2606:4700:4700::1111',
      '2a00:1450:4001:80b::200e',
      '2001:200::1',
      '2001:4860:4860::8888',
      '2003::1',
      '3ffe::1',
    ])
      assert.equal(isPublic(address), true, address)
  })

  for (const [range, addresses] of Object.entries({
    '“this network”, 0.0.0.0/8': ['0.0.0.0', '0.255.255.255'],
    'private (RFC 1918)': [
      '10.0.0.0',
      '10.255.255.255',
      '172.16.0.0',
      '172.31.255.255',
      '192.168.0.0',
      '192.168.255.255',
    ],
    'shared by carriers (RFC 6598)': ['100.64.0.0', '100.127.255.255'],
    loopback: ['127.0.0.0', '127.0.0.1', '127.255.255.255', '::1'],
    'link-local, where clouds keep their metadata': [
      '169.254.0.0',
      '169.254.169.254',
      '169.254.255.255',
      'fe80::1',
      'febf::1',
    ],
    'for protocols, documentation and benchmarks': [
      '192.0.0.0',
      '192.0.0.255',
      '192.0.2.1',
      '192.88.99.1',
      '198.18.0.0',
      '198.19.255.255',
      '198.51.100.1',
      '203.0.113.1',
      '2001:db8::1',
      '2001:2::1',
      '3fff::1',
    ],
    'multicast, reserved or broadcast': ['224.0.0.1', '239.255.255.255', '240.0.0.0', '255.255.255.255', 'ff02::1'],
    unspecified: ['::'],
    'unique local (RFC 4193), such as a cloud’s IPv6 metadata': ['fc00::1', 'fd00:ec2::254', 'fdff::1'],
    'an old site-local one': ['fec0::1', 'feff::1'],
    'discard-only': ['100::1'],
    'an IPv4 address mapped into IPv6': [
      '::ffff:127.0.0.1',
      '::ffff:7f00:1',
      '::ffff:169.254.169.254',
      '::ffff:10.0.0.1',
      '::ffff:8.8.8.8',
      '::ffff:0:127.0.0.1',
    ],
    'an IPv4 address in the old compatible form': ['::127.0.0.1', '::8.8.8.8'],
    'behind NAT64 (RFC 6052, RFC 8215)': ['64:ff9b::7f00:1', '64:ff9b::a9fe:a9fe', '64:ff9b::808:808', '64:ff9b:1::1'],
    'an IPv4 address in 6to4 (RFC 3056)': ['2002:7f00:1::', '2002:a9fe:a9fe::1', '2002:808:808::1'],
    'an IPv4 address in Teredo (RFC 4380)': ['2001::1', '2001:0:53aa:64c:0:0:80ff:fffe'],
    'outside global unicast': ['4000::1', '8000::1', 'c000::1', '1fff::1'],
    'with a zone': ['fe80::1%eth0', '::1%lo'],
  }))
    test(`is not public when it is ${range}`, () => {
      for (const address of addresses) assert.equal(isPublic(address), false, address)
    })

  test('is not public when it is no address at all', () => {
    for (const text of [
      '',
      'localhost',
      '127.1',
      '2130706433',
      '0x7f.0.0.1',
      '8.8.8',
      '8.8.8.8.8',
      '08.8.8.8',
      '[::1]',
      '8.8.8.8:80',
      ' 8.8.8.8',
    ])
      assert.equal(isPublic(text), false, text)
  })
})

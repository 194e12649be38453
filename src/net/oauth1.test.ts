/** Signatures, compared with those that RFC 5849 prints, and with ones made by hand of its rules. */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { describe, it } from 'node:test'
import { Secret } from '../core/credential.ts'
import type { Signable } from '../core/ports.ts'
import { sign1 } from './oauth1.ts'

/** The header's parameters, decoded. */
const signed = (request: Signable, client: string, token?: string): Record<string, string> => {
  const header = sign1(request, new Secret(client), token === undefined ? undefined : new Secret(token))
  assert.match(header, /^OAuth /)
  const parts = header.slice('OAuth '.length).split(', ')
  return Object.fromEntries(
    parts.map(part => {
      const [, name = '', value = ''] = /^([a-z_]+)="([^"]*)"$/.exec(part) ?? assert.fail(part)
      return [name, decodeURIComponent(value)]
    }),
  )
}

const hmac = (hash: string, base: string, key: string) => createHmac(hash, key).update(base).digest('base64')

describe('the example of RFC 5849 §1.2', () => {
  const printer = { oauth_consumer_key: 'dpf43f3p2l4k3l03', oauth_signature_method: 'HMAC-SHA1' } as const
  const secret = 'kd94hf93k423kf44'

  it('temporary credentials', () => {
    const request: Signable = {
      method: 'POST',
      url: 'https://photos.example.net/initiate',
      oauth: {
        ...printer,
        oauth_timestamp: 137131200,
        oauth_nonce: 'wIjqoS',
        oauth_callback: 'http://printer.example.com/ready',
      },
    }
    assert.deepEqual(signed(request, secret), {
      oauth_callback: 'http://printer.example.com/ready',
      oauth_consumer_key: 'dpf43f3p2l4k3l03',
      oauth_nonce: 'wIjqoS',
      oauth_signature: '74KNZJeDHnMBp0EMJ9ZHt/XKycU=',
      oauth_signature_method: 'HMAC-SHA1',
      oauth_timestamp: '137131200',
    })
  })

  it('token credentials', () => {
    const request: Signable = {
      method: 'POST',
      url: 'https://photos.example.net/token',
      oauth: {
        ...printer,
        oauth_token: 'hh5s93j4hdidpola',
        oauth_timestamp: 137131201,
        oauth_nonce: 'walatlh',
        oauth_verifier: 'hfdp7dh39dks9884',
      },
    }
    const { oauth_signature } = signed(request, secret, 'hdhd0244k9j7ao03')
    assert.equal(oauth_signature, 'gKgrFCywp7rO0OXSjdot/IHF7IU=')
  })

  it('a call of the API, with a query', () => {
    const request: Signable = {
      method: 'GET',
      url: 'http://photos.example.net/photos?file=vacation.jpg&size=original',
      oauth: { ...printer, oauth_token: 'nnch734d00sl2jdk', oauth_timestamp: 137131202, oauth_nonce: 'chapoH' },
    }
    const headers = signed(request, secret, 'pfkkdhi9sl3r4s00')
    assert.equal(headers['oauth_signature'], 'MdpQcU8iPSUjWoN/UDMsK2sui9I=')
    // Of the query nothing is repeated there.
    assert.deepEqual(
      Object.keys(headers).filter(name => !name.startsWith('oauth_')),
      [],
    )
  })
})

describe('the base string of RFC 5849 §3.4.1.1', () => {
  const request = {
    method: 'POST',
    url: 'http://example.com/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b',
    form: 'c2&a3=2+q',
    oauth: {
      oauth_consumer_key: '9djdj82h48djs9d2',
      oauth_token: 'kkk9d7dh3k39sjv7',
      oauth_signature_method: 'HMAC-SHA1',
      oauth_timestamp: 137131201,
      oauth_nonce: '7d8f3e4a',
    },
  } as const
  // As it is printed there: a name twice, once in the query and once in the body; empty values; what is encoded twice.
  const base = (method: string) =>
    `POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3D${method}%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7`
  const key = 'j49sk3j29djd&dh893hdasih9'

  it('by HMAC-SHA1', () => {
    const { oauth_signature } = signed(request, 'j49sk3j29djd', 'dh893hdasih9')
    assert.equal(oauth_signature, hmac('sha1', base('HMAC-SHA1'), key))
  })

  it('by HMAC-SHA256', () => {
    const oauth = { ...request.oauth, oauth_signature_method: 'HMAC-SHA256' } as const
    const { oauth_signature } = signed({ ...request, oauth }, 'j49sk3j29djd', 'dh893hdasih9')
    assert.equal(oauth_signature, hmac('sha256', base('HMAC-SHA256'), key))
  })

  it('§3.4.1.2: host and scheme in lower case, without the usual port', () => {
    const url = request.url.replace('http://example.com', 'HTTP://EXAMPLE.COM:80')
    assert.deepEqual(signed({ ...request, url }, 'j49sk3j29djd'), signed(request, 'j49sk3j29djd'))
    const other = request.url.replace('example.com', 'example.com:8080')
    assert.notDeepEqual(signed({ ...request, url: other }, 'j49sk3j29djd'), signed(request, 'j49sk3j29djd'))
  })
})

it('§3.4.4: PLAINTEXT is both secrets, each encoded, with an ampersand even where there is but one', () => {
  const request: Signable = {
    method: 'GET',
    url: 'https://photos.example.net/photos',
    oauth: {
      oauth_consumer_key: 'k',
      oauth_signature_method: 'PLAINTEXT',
      oauth_timestamp: 1,
      oauth_nonce: 'n',
      oauth_version: '1.0',
    },
  }
  assert.equal(
    signed(request, 'djr9rjt0jd78jf88', 'jjd999tj88uiths3')['oauth_signature'],
    'djr9rjt0jd78jf88&jjd999tj88uiths3',
  )
  assert.equal(signed(request, 'djr9rjt0jd78jf88')['oauth_signature'], 'djr9rjt0jd78jf88&')
  assert.equal(signed(request, 'a+b c', '!*')['oauth_signature'], 'a%2Bb%20c&%21%2A')
})

it('§3.6: what encodeURIComponent leaves is encoded too, and a value of more than ASCII as UTF-8', () => {
  const request: Signable = {
    method: 'GET',
    url: "https://api.example/1/search?q=a!*'()~ü",
    oauth: { oauth_consumer_key: 'k', oauth_signature_method: 'HMAC-SHA1', oauth_timestamp: 1, oauth_nonce: 'n' },
  }
  const base =
    'GET&https%3A%2F%2Fapi.example%2F1%2Fsearch&oauth_consumer_key%3Dk%26oauth_nonce%3Dn%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D1%26q%3Da%2521%252A%2527%2528%2529~%25C3%25BC'
  assert.equal(signed(request, 's')['oauth_signature'], hmac('sha1', base, 's&'))
})

it('nothing of the request is changed by signing it', () => {
  const oauth = Object.freeze({
    oauth_consumer_key: 'k',
    oauth_signature_method: 'HMAC-SHA1',
    oauth_timestamp: 1,
    oauth_nonce: 'n',
  } as const)
  const request: Signable = Object.freeze({ method: 'GET', url: 'https://api.example/?oauth_x=1&a=1', oauth })
  const names = Object.keys(signed(request, 's'))
  assert.deepEqual(names.sort(), [...Object.keys(oauth), 'oauth_signature'].sort())
})

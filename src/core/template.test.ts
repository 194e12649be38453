import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import { MortiseError } from './errors.ts'
import type { Provider } from './provider.ts'
import { checkInput, endsInSuffix, expandUrl, fillInputs, isNamedHost, keptOrigin, variables } from './template.ts'

const catalogue = loadCatalogue()
const provider = (id: string): Provider => {
  const found = catalogue.get(id)
  assert.ok(found, id)
  return found
}
const [zendesk, shopify, gitlab, salesforce, microsoft] = [
  provider('zendesk'),
  provider('shopify'),
  provider('gitlab'),
  provider('salesforce'),
  provider('microsoft'),
]

/** That it throws `invalid_request` and names the value at fault. */
const refused = (work: () => unknown, parameter: string, value: unknown): void => {
  assert.throws(
    work,
    (error: unknown) => {
      assert.ok(error instanceof MortiseError, `${JSON.stringify(value)}: ${error}`)
      assert.equal(error.code, 'invalid_request')
      assert.equal(error.details.reason, 'parameter')
      assert.equal(error.details.parameter, parameter)
      assert.ok(error.message.includes(parameter))
      return true
    },
    `${JSON.stringify(value)} was not refused`,
  )
}

const notLabels = [
  '',
  '.',
  '..',
  '-acme',
  'acme-',
  'acme.',
  '.acme',
  'acme.evil',
  'evil.example/x',
  'evil.example#',
  'evil.com?',
  'evil.example\\x',
  'a@evil',
  'a:b@evil',
  'acme:8443',
  'a%2fb',
  '%61cme',
  'a b',
  ' acme',
  'acme\n',
  'ac\tme',
  'acme\u0000',
  'acme\u3002evil',
  'acme\uff0eevil',
  'acme\uff61evil',
  'evil.example\uff0f',
  '\u212aelvin',
  'm\u00fcnchen',
  'a\u00adcme',
  '[::1]',
  'a'.repeat(64),
]
const labels = ['a', '7', 'acme', 'ACME', 'a-b', 'a--b', 'a'.repeat(63)]

suite('given values', () => {
  test('a label is one DNS label and nothing more', () => {
    for (const value of labels) checkInput('params[x]', 'label', value)
    for (const value of notLabels) refused(() => checkInput('params[x]', 'label', value), 'params[x]', value)
  })

  test('a segment is one path segment of unreserved characters', () => {
    for (const value of ['common', 'contoso.onmicrosoft.com', 'a_b~c-d', '..a', 'x'.repeat(255)])
      checkInput('params[x]', 'segment', value)
    for (const value of [
      '',
      '.',
      '..',
      '...',
      'a/b',
      'a\\b',
      'a%2fb',
      'a?b',
      'a#b',
      'a b',
      'é',
      'a\n',
      'x'.repeat(256),
    ])
      refused(() => checkInput('params[x]', 'segment', value), 'params[x]', value)
  })

  test('a host is a DNS name, with a port at most', () => {
    for (const value of ['gitlab.com', 'gitlab.example.com:8443', 'localhost', 'a.b.c', 'GitLab.Example.com'])
      checkInput('the setting host', 'host', value)
    for (const value of [
      '',
      'a..b',
      '.a',
      'a.',
      'a/b',
      'u@a',
      'u:p@a',
      'a:',
      'a:123456',
      'a:b',
      'a?b',
      'a#b',
      '[::1]',
      'é.example',
      `${'a'.repeat(64)}.example`,
      `${'a.'.repeat(127)}a`,
    ])
      refused(() => checkInput('the setting host', 'host', value), 'the setting host', value)
  })

  test('a value that is missing is named with its title and example', () => {
    const nameOf = (name: string) => `params[${name}]`
    assert.throws(() => fillInputs(zendesk.params, {}, nameOf), {
      message: 'params[subdomain] is missing: Zendesk subdomain, for example acme.',
    })
    refused(() => fillInputs(zendesk.params, {}, nameOf), 'params[subdomain]', undefined)
  })

  test('defaults are filled in, given values win, and what is not declared is kept', () => {
    const nameOf = (name: string) => name
    assert.deepEqual(fillInputs(microsoft.params, {}, nameOf), { tenant: 'common' })
    assert.deepEqual(fillInputs(microsoft.params, { tenant: 'contoso', team: 'a/b' }, nameOf), {
      tenant: 'contoso',
      team: 'a/b',
    })
    refused(() => fillInputs(microsoft.params, { tenant: 'a/b' }, nameOf), 'tenant', 'a/b')
    refused(() => fillInputs(microsoft.params, { tenant: '' }, nameOf), 'tenant', '')
  })
})

suite('a label in a host', () => {
  const at = (of: Provider, name: string, value: string) =>
    expandUrl(of, of.token.url, { config: { [name]: value }, settings: {} })

  test('becomes the first label of the host that the definition spells out', () => {
    for (const value of labels) {
      assert.equal(at(zendesk, 'subdomain', value).origin, `https://${value.toLowerCase()}.zendesk.com`)
      assert.equal(at(shopify, 'shop', value).host, `${value.toLowerCase()}.myshopify.com`)
    }
    assert.equal(at(zendesk, 'subdomain', 'acme').pathname, '/oauth/tokens')
  })

  test('never leads to another host, whatever is given', () => {
    for (const value of notLabels) {
      refused(() => at(zendesk, 'subdomain', value), 'params[subdomain]', value)
      refused(() => at(shopify, 'shop', value), 'params[shop]', value)
    }
  })

  test('in punycode, valid or not, stays below the suffix', () => {
    for (const value of ['xn--mnchen-3ya', 'xn--a', 'xn--zz--x', 'XN--80AK6AA92E'])
      assert.equal(at(zendesk, 'subdomain', value).origin, `https://${value.toLowerCase()}.zendesk.com`)
  })

  test('that is missing is named', () => {
    assert.throws(() => expandUrl(zendesk, zendesk.api.base, { config: {}, settings: {} }), {
      message: 'params[subdomain] is missing; Zendesk needs it.',
    })
    assert.throws(() => expandUrl(zendesk, zendesk.api.base, { config: {}, settings: { subdomain: 'acme' } }), {
      code: 'invalid_request',
    })
  })
})

suite('a whole host', () => {
  const at = (host: string) => expandUrl(gitlab, gitlab.token.url, { config: {}, settings: { host } })

  test('comes from the settings, or is the default', () => {
    assert.equal(at('git.example.com').href, 'https://git.example.com/oauth/token')
    assert.equal(at('git.example.com:8443').href, 'https://git.example.com:8443/oauth/token')
    assert.equal(at('git.example.com:443').href, 'https://git.example.com/oauth/token')
    assert.equal(expandUrl(gitlab, gitlab.token.url, { config: {}, settings: {} }).host, 'gitlab.com')
  })

  test('never comes from what the caller gives', () => {
    const values = { config: { host: 'evil.example' }, settings: {} }
    assert.equal(expandUrl(gitlab, gitlab.token.url, values).host, 'gitlab.com')
    const careless: Provider = { ...gitlab, params: { host: { title: 'Host', kind: 'host' } } }
    for (const template of ['https://${config.host}/oauth/token', 'https://${config.host}.example.com/'])
      refused(() => expandUrl(careless, template, values), 'params[host]', 'evil.example')
    assert.throws(() => expandUrl(careless, '${config.host}/oauth/token', values), { code: 'invalid_request' })
  })

  test('is refused with userinfo, a path, a query, a fragment or a port that is none', () => {
    for (const value of [
      'u@evil.example',
      'evil.example/x',
      'evil.example?',
      'evil.example#',
      'evil.example\\',
      'a:99999',
    ])
      assert.throws(() => at(value), { code: 'invalid_request' }, value)
  })

  test('is refused as an address in disguise', () => {
    for (const value of ['2130706433', '0x7f000001', '0x7f.1', '127.1', '0177.0.0.1'])
      assert.throws(() => at(value), { code: 'invalid_request' }, value)
  })

  test('that is missing is named as a setting', () => {
    const bare: Provider = { ...gitlab, settings: { host: { title: 'GitLab host', kind: 'host' } } }
    for (const settings of [{}, { host: '' }])
      assert.throws(() => expandUrl(bare, bare.token.url, { config: { host: 'evil.example' }, settings }), {
        message: 'the setting host is missing; GitLab needs it.',
      })
  })
})

suite('a kept URL', () => {
  const suffixes = ['.salesforce.com', '.force.com']
  const at = (instance_url: string) =>
    expandUrl(salesforce, '${config.instance_url}/services/data', {
      config: { instance_url },
      settings: {},
    })

  test('is used where its host ends in a named suffix', () => {
    for (const [value, origin] of [
      ['https://acme.my.salesforce.com', 'https://acme.my.salesforce.com'],
      ['https://acme.my.salesforce.com/', 'https://acme.my.salesforce.com'],
      ['https://acme.my.salesforce.com:443/elsewhere?x=1#y', 'https://acme.my.salesforce.com'],
      ['https://ACME.My.SalesForce.com', 'https://acme.my.salesforce.com'],
      ['https://na1.force.com', 'https://na1.force.com'],
    ] as const) {
      assert.equal(keptOrigin(value, suffixes), origin)
      assert.equal(at(value).href, `${origin}/services/data`)
    }
  })

  test('is refused everywhere else', () => {
    for (const value of [
      '',
      'acme.my.salesforce.com',
      'https://evilsalesforce.com',
      'https://salesforce.com',
      'https://salesforce.com.evil.example',
      'https://acme.salesforce.com.evil.example',
      'https://acme.salesforce.com.',
      'https://x.salesforce.com:8443',
      'https://u@x.salesforce.com',
      'https://:p@x.salesforce.com',
      'https://x.salesforce.com@evil.example',
      'https://evil.example/x.salesforce.com',
      'https://evil.example#.salesforce.com',
      'https://evil.example?.salesforce.com',
      'https://evil.example\\.salesforce.com',
      'http://x.salesforce.com',
      'ftp://x.salesforce.com',
      'javascript:alert(1)//.salesforce.com',
      'https://',
    ]) {
      assert.equal(keptOrigin(value, suffixes), undefined, value)
      refused(() => at(value), 'instance_url', value)
    }
  })

  test('is refused when nothing was kept, or no suffix is named', () => {
    refused(() => expandUrl(salesforce, salesforce.api.base, { config: {}, settings: {} }), 'instance_url', undefined)
    assert.equal(keptOrigin('https://x.salesforce.com', []), undefined)
  })
})

suite('a value in a path', () => {
  const at = (tenant: string) => expandUrl(microsoft, microsoft.token.url, { config: { tenant }, settings: {} })

  test('is percent-encoded and stays one segment', () => {
    for (const value of [
      'a/b',
      'a\\b',
      'a?b',
      'a#b',
      'a%2fb',
      '%2e%2e',
      '../..',
      'a b',
      'é',
      '@evil',
      '/evil.example',
    ]) {
      const url = at(value)
      assert.equal(url.host, 'login.microsoftonline.com')
      assert.equal(url.pathname, `/${encodeURIComponent(value)}/oauth2/v2.0/token`)
      assert.equal(url.search + url.hash, '')
    }
  })

  test('made of dots is refused, so that it cannot climb', () => {
    for (const value of ['.', '..', '...']) refused(() => at(value), 'tenant', value)
  })

  test('that is missing is the default', () => {
    const url = expandUrl(microsoft, microsoft.token.url, { config: {}, settings: {} })
    assert.equal(url.pathname, '/common/oauth2/v2.0/token')
  })
})

suite('names of hosts', () => {
  test('a suffix counts on a label boundary only, and not by itself', () => {
    assert.equal(endsInSuffix('a.example.com', ['.example.com']), true)
    assert.equal(endsInSuffix('A.EXAMPLE.com', ['.example.com']), true)
    for (const host of ['example.com', '.example.com', 'aexample.com', 'a.example.com.evil', 'a.example.org'])
      assert.equal(endsInSuffix(host, ['.example.com']), false, host)
  })

  test('a host is named exactly, or below a star', () => {
    const named = ['api.example.com', '*.example.org']
    assert.equal(isNamedHost('api.example.com', named), true)
    assert.equal(isNamedHost('a.b.example.org', named), true)
    for (const host of ['x.api.example.com', 'example.org', 'evilexample.org', 'example.com', '*.example.com'])
      assert.equal(isNamedHost(host, named), false, host)
  })

  test('the variables of a template are listed in order', () => {
    assert.deepEqual(variables('https://${config.a}.${settings.b}/x/${config.c}?${nothing}'), [
      'config.a',
      'settings.b',
      'config.c',
    ])
  })
})

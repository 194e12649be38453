/** A parameter taken out of URLs, wherever they stand. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keptUrl, sameUrl, withoutParam } from './url-param.ts'

test('a parameter is taken out of every URL of a text, however it is written', () => {
  const cases: readonly [given: string, left: string][] = [
    ['https://a.example/x?api_key=s', 'https://a.example/x'],
    ['https://a.example/x?a=%20&api_key=s&b#f', 'https://a.example/x?a=%20&b#f'],
    ['/x?api%5Fkey=s&api_key=t&page=2', '/x?page=2'],
    ['https://a.example/#/x?api_key=s', 'https://a.example/#/x'],
    [
      '<https://a.example/x?page=2&api_key=s>; rel="next", </x?api_key=s>; rel="prev"',
      '<https://a.example/x?page=2>; rel="next", </x>; rel="prev"',
    ],
    ['/login?return_to=%2Fx%3Fa%3D1%26api_key%3Ds&b=1', '/login?b=1'],
    ['/login?return_to=%252Fx%253Fapi%255Fkey%253Ds', '/login'],
    ['/login?return_to=/x?api_key=s', '/login'],
    ['/x?my_api_key=s&page=api_key', '/x?my_api_key=s&page=api_key'],
    ['/x?a=%', '/x?a=%'],
    ['plain text, api_key=s', 'plain text, api_key=s'],
  ]
  for (const [given, left] of cases) assert.equal(withoutParam(given, 'api_key'), left)
  assert.equal(withoutParam('/x?a+b=s&a%20b=t&ab=1', 'a b'), '/x?ab=1')
})

test('a URL is that of its text, whichever was kept before; what is not to be kept is not', () => {
  const kept = keptUrl('https://a.example/x')
  assert.equal(sameUrl('https://a.example/x'), kept)
  const other = sameUrl('https://b.example/x?api_key=s')
  assert.equal(other.host, 'b.example')
  assert.notEqual(sameUrl('https://b.example/x?api_key=s'), other)
  assert.equal(sameUrl('https://a.example/x'), kept)
  assert.equal(keptUrl('https://c.example/x').host, 'c.example')
  assert.equal(sameUrl('https://a.example/x').host, 'a.example')
  for (const parse of [keptUrl, sameUrl]) assert.throws(() => parse('no URL'), TypeError)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { queryOf } from './query.ts'

test('is what the URL would say of it', () => {
  for (const target of [
    '/connection/1',
    '/connection/1?',
    '/c?a=1&b=2&a=3',
    '/c?a=%C3%BC+x%2By%20z&%61=1',
    '/c?a&=b&&c=',
    '/c?a=b=c?d=e/f',
    '/c?a=1#b?c=2',
    '/c#a?b=1',
    '/c?a=%zz%&b=%e2%82',
    '/c?a="<>\'`{}|\\^[]',
    '/c?a=\u00fc',
    '//other.example/c?a=1',
  ])
    assert.deepEqual([...queryOf({ url: target })], [...new URL(target, 'http://hub').searchParams], target)
})

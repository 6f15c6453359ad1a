import assert from 'node:assert/strict';
import { constantKey } from '../../src/core/nats/stream/constant-key.js';

describe('a key of subject tokens', () => {
  it('a key is constant if its tokens are the same in all subjects', () => {
    assert.deepEqual(constantKey('subject:2', '>', ['shop.orders.*']), {
      value: 'orders',
      better: 'subject:3',
    });
    assert.deepEqual(constantKey('subject:1,2', '>', ['shop.orders.*', 'shop.orders.>']), {
      value: 'shop.orders',
      better: 'subject:3',
    });
    assert.deepEqual(constantKey('subject:3', 'shop.*.c1', ['shop.>']), { value: 'c1', better: 'subject:2' });
    assert.deepEqual(constantKey('subject:1', '>', ['orders']), { value: 'orders', better: undefined });
    assert.deepEqual(constantKey('subject:1', 'orders.*', []), { value: 'orders', better: 'subject:2' });
  });

  it('a key is not constant if a token varies, differs between subjects, or is not a token', () => {
    assert.equal(constantKey('subject:3', '>', ['shop.orders.*']), undefined);
    assert.equal(constantKey('subject:2,3', '>', ['shop.orders.*']), undefined);
    assert.equal(constantKey('subject:2', '>', ['shop.orders.*', 'shop.returns.*']), undefined);
    assert.equal(constantKey('subject:2', '>', ['shop.>']), undefined);
    assert.equal(constantKey('subject:9', '>', ['shop.>']), undefined);
    assert.equal(constantKey('header:Tenant', 'shop.orders.c1', ['shop.>']), undefined);
  });
});

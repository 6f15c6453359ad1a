import assert from 'node:assert/strict';
import { DeliveryReader, parseDelivery } from '../../src/core/nats/jetstream/delivery.js';

const TIME = '1700000000123456789';

describe('reply subjects of deliveries', () => {
  it('a reply subject is parsed in the old form', () => {
    const found = parseDelivery(`$JS.ACK.EVENTS.reader.1.1234.56.${TIME}.789`);
    assert.equal(found?.streamSequence, 1234);
    assert.equal(found?.consumerSequence, 56);
    assert.equal(found?.pending, 789);
    assert.ok(Math.abs((found?.timestampMs ?? 0) - 1_700_000_000_123.457) < 0.01);
  });

  for (const tail of ['', '.Rnd0m']) {
    it(`a reply subject is parsed with domain and account hash${tail && ', and a last token'}`, () => {
      const found = parseDelivery(`$JS.ACK.hub.ACCHASH.EVENTS.reader.1.1234.56.${TIME}.789${tail}`);
      assert.deepEqual([found?.streamSequence, found?.consumerSequence, found?.pending], [1234, 56, 789]);
    });
  }

  for (const other of [
    '',
    '_INBOX.abc',
    `$JS.ACK.EVENTS.reader.1.x.56.${TIME}.789`,
    `$JS.ACK.EVENTS.reader.1.12.56.${TIME}`,
    '$JS.ACK.EVENTS.reader.1.2.3',
    `$JS.ACK.EVENTS.reader.1.99999999999999999999.56.${TIME}.789`,
  ]) {
    it(`a subject of another kind is not parsed as the reply subject of a delivery: ${other || 'an empty subject'}`, () =>
      assert.equal(parseDelivery(other), undefined));
  }

  it('reply subjects are parsed one after the other, even of another consumer', () => {
    const reader = new DeliveryReader();
    const read = (reply: string) =>
      reader.read(reply) && [reader.streamSequence, reader.consumerSequence, reader.pending];
    assert.deepEqual(read(`$JS.ACK.E.a.1.1.1.${TIME}.10`), [1, 1, 10]);
    assert.deepEqual(read(`$JS.ACK.E.a.1.7.2.${TIME}.9`), [7, 2, 9]);
    assert.equal(read('$JS.ACK.E.a.1.7'), false);
    assert.equal(read('_INBOX.x'), false);
    assert.deepEqual([reader.streamSequence, reader.pending], [7, 9], 'nothing changed');
    assert.deepEqual(read(`$JS.ACK.E.bb.1.8.3.${TIME}.0`), [8, 3, 0]);
  });
});

import assert from 'node:assert/strict';
import { runInNewContext } from 'node:vm';
import { joinGroup, type Message, type StandardSchema } from '../../src/core/index.js';
import {
  FailedAt,
  type Handler,
  type InBatches,
  StopConsuming,
} from '../../src/core/member/partition/handler.js';
import { HandlerCall } from '../../src/core/member/partition/handler-call.js';
import { SILENT } from '../../src/core/member/partition/logger.js';
import { InvalidMessage } from '../../src/core/member/partition/verdict.js';
import { decoded } from '../../src/core/options/decoded.js';
import type { Decoding } from '../../src/core/options/handling.js';
import { fakeMessage } from '../support/fake-partition.js';

interface Order {
  id: string;
}

/** A schema with the interface that zod, valibot and arktype share. */
const ORDER: StandardSchema<Order> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) => {
      const { id }: { id?: unknown } = Object(value);
      if (typeof id === 'string') return { value: { id: id.toUpperCase() } };
      return { issues: [{ message: 'must be text', path: ['order', { key: 'id' }] }] };
    },
  },
};

/** Never called: only its types are checked. */
const inference = async (): Promise<void> => {
  await joinGroup({ schema: ORDER, handler: ({ value }) => value satisfies Order });
  await joinGroup({ schema: ORDER, batchHandler: (messages) => messages.map(({ value }) => value.id) });
  await joinGroup({ decode: ({ data }) => data.length, handler: ({ value }) => value.toFixed() });
  await joinGroup({ decode: async ({ data }) => [...data], handler: ({ value }) => value.at(0) });
  await joinGroup({ handler: (message: Message) => message.value satisfies undefined });
};

async function handling<Value>(texts: readonly string[], how: Decoding<Value>, isBatch = false) {
  const got: unknown[] = [];
  const single: Handler = (message) => void got.push(Object(message).value);
  const inBatches: InBatches = {
    limits: { messages: 10, bytes: 1_000, waitMs: 0 },
    handler: (messages) => void got.push(messages.map((message) => Object(message).value)),
  };
  const messages = texts.map((text, i) => fakeMessage(i + 1, null, text));
  const [first = fakeMessage(1)] = messages;
  const call = new HandlerCall({ partition: 0, epoch: 1, logger: SILENT }, first, 1);
  const handler = decoded<Value>(isBatch ? inBatches : single, how);
  let error: unknown;
  try {
    await (typeof handler === 'function' ? handler(first, call) : handler.handler(messages, call));
  } catch (caught) {
    error = caught;
  }
  return { got, error };
}

const invalid = (error: unknown): string => {
  assert.ok(error instanceof InvalidMessage);
  return error.message;
};

describe('the value of a message', () => {
  it('the value has the type that schema or decode gives it', () => assert.equal(inference.length, 0));

  it('the value is the result of the schema for the JSON payload', async () => {
    const { got, error } = await handling(['{"id":"a"}'], { schema: ORDER });
    assert.deepEqual([got, error], [[{ id: 'A' }], undefined]);
  });

  it('a message is invalid if the schema refuses it, and the error names the place', async () => {
    const { got, error } = await handling(['{}'], { schema: ORDER });
    assert.deepEqual([got, invalid(error)], [[], 'order.id: must be text']);
  });

  it('a message is invalid if the payload is not JSON, or not UTF-8', async () => {
    assert.equal(invalid((await handling(['{'], { schema: ORDER })).error), 'the payload is not JSON');
    const bytes = { ...fakeMessage(1), data: new Uint8Array([0xff]) };
    const handler = decoded(() => {}, { schema: ORDER });
    assert.ok(typeof handler === 'function');
    const call = new HandlerCall({ partition: 0, epoch: 1, logger: SILENT }, bytes, 1);
    assert.throws(() => handler(bytes, call), {
      name: 'InvalidMessage',
      message: 'the payload is not UTF-8',
    });
  });

  it('the error of a schema names three problems at most', async () => {
    const many: StandardSchema<never> = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: () => ({ issues: ['a', 'b', 'c', 'd', 'e'].map((message) => ({ message })) }),
      },
    };
    assert.equal(invalid((await handling(['1'], { schema: many })).error), 'a; b; c; and 2 more');
  });

  it('a schema may return a promise of another realm', async () => {
    const foreign: unknown = runInNewContext('(value) => Promise.resolve(value)');
    assert.ok(typeof foreign === 'function');
    const schema: StandardSchema<Order> = {
      '~standard': {
        ...ORDER['~standard'],
        validate: (value) => Reflect.apply(foreign, undefined, [ORDER['~standard'].validate(value)]),
      },
    };
    assert.deepEqual((await handling(['{"id":"a"}'], { schema })).got, [{ id: 'A' }]);
    for (const isBatch of [false, true]) {
      const { got, error } = await handling(['{}'], { schema }, isBatch);
      assert.deepEqual([got, invalid(isBatch ? Object(error).cause : error)], [[], 'order.id: must be text']);
    }
  });

  it('the value is the result of decode, or of its promise', async () => {
    for (const decode of [() => 7, async () => 7])
      assert.deepEqual(await handling(['x'], { decode }), { got: [7], error: undefined });
  });

  it('a message is invalid if decode throws or rejects, and that error is the cause', async () => {
    const cause = new Error('no protobuf');
    const decoders = [
      () => {
        throw cause;
      },
      async () => {
        throw cause;
      },
    ];
    for (const decode of decoders) {
      const { error } = await handling(['x'], { decode });
      assert.equal(invalid(error), 'no protobuf');
      assert.ok(error instanceof Error);
      assert.equal(error.cause, cause);
    }
  });

  it('decode may report that no message can be handled', async () => {
    const stop = new StopConsuming('the registry is gone');
    const decode = () => {
      throw stop;
    };
    assert.equal((await handling(['x'], { decode })).error, stop);
    assert.equal((await handling(['x'], { decode }, true)).error, stop);
  });

  it('values are set in batches, and messages before an invalid message are handled first', async () => {
    const { got, error } = await handling(
      ['{"id":"a"}', '{"id":"b"}', '{}', '{"id":"c"}'],
      { schema: ORDER },
      true,
    );
    assert.deepEqual(got, [[{ id: 'A' }, { id: 'B' }]]);
    assert.equal(FailedAt.in(error, 3)?.index, 2);
    assert.ok(error instanceof FailedAt);
    assert.equal(invalid(error.cause), 'order.id: must be text');
  });

  it('the first message of a batch may be invalid', async () => {
    const { got, error } = await handling(['{}', '{"id":"c"}'], { schema: ORDER }, true);
    assert.deepEqual([got, FailedAt.in(error, 1)?.index], [[], 0]);
  });
});

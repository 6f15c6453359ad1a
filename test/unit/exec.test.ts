import assert from 'node:assert/strict';
import { execHandler } from '../../src/cli/consume/exec.js';
import { HandlerCall } from '../../src/core/member/partition/handler-call.js';
import { SILENT } from '../../src/core/member/partition/logger.js';
import type { StreamMessage } from '../../src/core/protocol/message.js';

const messageWith = (key: string): StreamMessage => ({
  sequence: 1,
  subject: 'e.p.0',
  key,
  timestampMs: 0,
  data: new Uint8Array(),
  size: 0,
  headers: () => ({}),
});

describe('the handler of --exec', () => {
  for (const [what, key, reason] of [
    ['contains a NUL', 'a\0b', /cannot start the command: .*NATSPOC_KEY.*null bytes/],
    ['is too long', 'k'.repeat(200_000), /cannot start the command: argument list too long \(E2BIG\)/],
  ] as const) {
    it(`the handler of --exec fails for a key that ${what}, because an environment cannot hold it`, async () => {
      const message = messageWith(key);
      const call = new HandlerCall({ partition: 0, epoch: 1, logger: SILENT }, message, 1);
      const handler = execHandler({ command: 'cat', write: () => undefined });
      await assert.rejects(async () => handler(message, call), reason);
    });
  }
});

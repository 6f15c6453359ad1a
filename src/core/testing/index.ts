/// <reference types="node" preserve="true" />
/// <reference lib="esnext.disposable" preserve="true" />
/**
 * Tests a program that uses natspoc, without a server. `call` calls a handler once. `localStream` creates a stream in memory.
 *
 *     const { outcome } = await call(handler, { key: 'user-7', value: { cents: 5 } });
 *     const stream = localStream({ partitions: 4 });
 *     const member = await stream.joinGroup({ handler });
 */

export {
  type CalledAt,
  type CalledBatches,
  type CalledMessage,
  type CalledOptions,
  type CalledProgram,
  type CallResult,
  call,
  callBatch,
} from './call.js';
export type { LocalStreamOptions } from './local-server.js';
export {
  type LocalJoinOptions,
  type LocalPublisherOptions,
  type LocalStream,
  localStream,
} from './local-stream.js';

import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { ErrorCode, type Msg, NatsError } from 'nats';
import type { NatsHandles } from '../../src/core/nats/client/handles.js';
import { BucketWatch } from '../../src/core/nats/kv/watch.js';
import type { BucketEntry } from '../../src/core/protocol/entries.js';
import { ManualClock } from '../support/manual-clock.js';

type Callback = (error: Error | null, message: Msg) => void;
const KEYS = ['group.g.lease.0', 'group.g.lease.1', 'group.g.lease.2'];

/** A watch on a model of a server. The test decides which entries are stored and delivered. */
class Scene {
  readonly clock = new ManualClock();
  readonly snapshots: string[][] = [];
  readonly changed: string[] = [];
  /** When readers were created. */
  readonly opened: number[] = [];
  readonly #stored: string[] = [];
  #callback: Callback = () => {};
  #delivered = 0;
  /** True if readers cannot be created. */
  isRefusing = false;
  isClosed = false;

  constructor() {
    const never = new Promise<never>(() => {});
    const connection = {
      isClosed: () => this.isClosed,
      closed: () => never,
      status: () => ({ [Symbol.asyncIterator]: () => ({ next: () => never }) }),
      subscribe: (_: string, { callback }: { callback: Callback }) => {
        this.#callback = callback;
        return { unsubscribe: () => {} };
      },
      publish: () => {},
    };
    const manager = {
      getOptions: () => ({ apiPrefix: '$JS.API' }),
      consumers: {
        add: async () => {
          this.opened.push(this.clock.now());
          if (this.isRefusing) throw NatsError.errorForCode(ErrorCode.Timeout);
          this.#delivered = 0;
          // The snapshot arrives when the watch requests it.
          setImmediate(() => this.#stored.forEach((_, index) => void this.deliver(index + 1)));
          return { config: {}, num_pending: this.#stored.length };
        },
        delete: async () => true,
      },
      streams: { getMessage: async () => ({ seq: this.#stored.length }) },
    };
    const handles = { connection, manager, inboxPrefix: undefined, clock: this.clock };
    const names = (entries: readonly BucketEntry[]): string[] => entries.map(({ key }) => key);
    // The client has only the parts that a watch uses.
    const sink = {
      snapshot: (entries: readonly BucketEntry[]) => this.snapshots.push(names(entries)),
      changes: (entries: readonly BucketEntry[]) => this.changed.push(...names(entries)),
      failed: (error: unknown) => assert.fail(String(error)),
    };
    const hasWatched = (): boolean => this.snapshots.length > 0;
    new BucketWatch(handles as unknown as NatsHandles, 'B', 'group.g.', sink, hasWatched).start();
  }

  store(...keys: string[]): void {
    this.#stored.push(...keys);
  }

  /** Delivers the entry at this sequence. Counts the entries after it. */
  deliver(sequence: number): void {
    const pending = this.#stored.length - sequence;
    const reply = `$JS.ACK.KV_B.watch.1.${sequence}.${++this.#delivered}.1700000000000000000.${pending}`;
    const subject = `$KV.B.${this.#stored[sequence - 1]}`;
    this.#callback(null, { subject, reply, data: new Uint8Array([1]), sid: 1, headers: undefined } as Msg);
  }

  /** Time passes in small steps. Pending requests get their answers. */
  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed++) {
      this.clock.advance(1);
      await turn();
      await turn();
    }
  }
}

describe('the watch of a bucket', () => {
  it('the watch recovers an entry that the server skipped within 60 ms', async () => {
    const scene = new Scene();
    await scene.pass(1_000);
    assert.deepEqual(scene.snapshots, [[]]);
    scene.store(...KEYS);
    scene.deliver(1);
    await scene.pass(60);
    assert.deepEqual(scene.changed, KEYS.slice(0, 1));
    assert.deepEqual(scene.snapshots.at(-1), KEYS);
  });

  it('the watch is not restarted while entries are still arriving', async () => {
    const scene = new Scene();
    await scene.pass(1_000);
    scene.store(...KEYS);
    for (let sequence = 1; sequence <= KEYS.length; sequence++) {
      scene.deliver(sequence);
      await scene.pass(40);
    }
    await scene.pass(500);
    assert.deepEqual(scene.changed, KEYS);
    assert.equal(scene.opened.length, 1);
  });

  it('the watch does not reopen readers without a pause', async () => {
    const scene = new Scene();
    await scene.pass(1_000);
    scene.isRefusing = true;
    scene.store(...KEYS);
    scene.deliver(1);
    await scene.pass(2_000);
    const gaps = scene.opened.slice(2).map((at, index) => at - (scene.opened[index + 1] ?? 0));
    assert.ok(gaps.length > 2 && gaps.every((gap) => gap >= 250), String(scene.opened));
  });

  it('the watch opens no reader on a connection that is closed', async () => {
    const scene = new Scene();
    scene.isRefusing = true;
    await scene.pass(300);
    scene.isClosed = true;
    const before = scene.opened.length;
    await scene.pass(2_000);
    // One more opening may have been scheduled before the connection was closed.
    assert.ok(scene.opened.length <= before + 1, String(scene.opened));
  });
});

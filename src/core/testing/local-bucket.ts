import type { Bucket, Watch, WatchSink } from '../ports/index.js';
import type { KeyValues } from './key-values.js';
import type { LocalProcess } from './local-process.js';

/** The bucket as the process of one member sees it. No request is lost, delayed or refused. */
export class LocalBucket implements Bucket {
  readonly #values: KeyValues;
  readonly #process: LocalProcess;
  readonly #writer: string;

  /** @param writer the name of the member. */
  constructor(values: KeyValues, process: LocalProcess, writer: string) {
    this.#values = values;
    this.#process = process;
    this.#writer = writer;
  }

  read(key: string): ReturnType<Bucket['read']> {
    return this.#process.ask(() => {
      const entry = this.#values.get(key);
      return entry ? { kind: 'found', entry } : { kind: 'missing' };
    });
  }

  write(key: string, value: Uint8Array, expectedRevision: number): ReturnType<Bucket['write']> {
    return this.#write(key, value, expectedRevision);
  }

  remove(key: string, expectedRevision: number): ReturnType<Bucket['remove']> {
    return this.#write(key, null, expectedRevision);
  }

  watch(prefix: string, sink: WatchSink): Watch {
    let isStopped = false;
    let unfollow = (): void => {};
    const later = (tell: () => void): void =>
      this.#process.later(() => {
        if (!isStopped) tell();
      });
    later(() => {
      unfollow = this.#values.observe((entry) => {
        if (entry.key.startsWith(prefix)) later(() => sink.changes([entry]));
      });
      sink.snapshot(this.#values.below(prefix));
    });
    return {
      stop: () => {
        isStopped = true;
        unfollow();
      },
    };
  }

  #write(key: string, value: Uint8Array | null, expected: number): ReturnType<Bucket['write']> {
    return this.#process.ask(() => {
      const revision = this.#values.write(key, value, expected, this.#writer);
      return revision === undefined ? { kind: 'conflict' } : { kind: 'ok', revision };
    });
  }
}

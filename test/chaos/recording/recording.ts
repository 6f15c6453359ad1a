import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bucket, Watch } from '../../../src/core/ports/index.js';
import type { BucketEntry } from '../../../src/core/protocol/entries.js';
import { keys } from '../../../src/core/protocol/keys.js';
import { LineFile } from './line-file.js';
import {
  type BucketRecord,
  type FaultKind,
  type FaultRecord,
  FILES,
  monotonicUs,
  type ProcessRecord,
  type RunSettings,
  SERVER_KINDS,
} from './records.js';

/** Writes the records of a run to its folder. */
export class Recording {
  readonly folder: string;
  /** The recording of the twin group. It records the faults of servers, too, because the twin runs on the same servers. */
  mirror: Recording | undefined;
  readonly processes: LineFile<ProcessRecord>;
  readonly #faults: LineFile<FaultRecord>;
  readonly #bucket: LineFile<BucketRecord>;
  readonly #revisions = new Map<string, number>();
  readonly #watches: Watch[] = [];
  #watch: (() => void) | undefined;
  #faultCount = 0;

  constructor(folder: string) {
    this.folder = folder;
    for (const name of [FILES.calls, FILES.notes, 'modes']) {
      mkdirSync(join(folder, name), { recursive: true });
    }
    this.processes = new LineFile(join(folder, FILES.processes));
    this.#faults = new LineFile(join(folder, FILES.faults));
    this.#bucket = new LineFile(join(folder, FILES.bucket));
  }

  now(): number {
    return monotonicUs();
  }

  callsFile(name: string): string {
    return join(this.folder, FILES.calls, `${name}.ndjson`);
  }

  get modes(): string {
    return join(this.folder, 'modes');
  }

  get confirmedFile(): string {
    return join(this.folder, FILES.confirmed);
  }

  settings(settings: RunSettings): void {
    writeFileSync(join(this.folder, FILES.settings), `${JSON.stringify(settings, null, 2)}\n`);
  }

  keepNotes(name: string, text: string): void {
    writeFileSync(join(this.folder, FILES.notes, `${name}.txt`), `${text}\n`);
  }

  get faultCount(): number {
    return this.#faultCount;
  }

  /** Records the start of a fault. The returned function records its end. */
  fault(kind: FaultKind, target: string): (outcome: string, rested?: [from: number, to: number]) => void {
    const mirrored = SERVER_KINDS.includes(kind) ? this.mirror?.fault(kind, target) : undefined;
    const id = ++this.#faultCount;
    this.#faults.write(['begin', this.now(), id, kind, target]);
    return (outcome, rested) => {
      mirrored?.(outcome);
      this.#faults.write(['end', this.now(), id, outcome, ...(rested ? [rested] : [])] as FaultRecord);
    };
  }

  /** Records every change of sessions, leases, the layout and positions from now on. */
  watch(bucket: Bucket, group: string, seen: (entry: BucketEntry) => void): void {
    const take = (entries: readonly BucketEntry[]): void => {
      for (const entry of entries) this.#take(entry);
      entries.forEach(seen);
    };
    const failed = (): void => {};
    this.#watch = () => {
      this.#watches.push(
        bucket.watch(keys.groupPrefix(group), { snapshot: take, changes: take, failed }),
        bucket.watch(keys.positionPrefix(group), { snapshot: take, changes: take, failed }),
      );
    };
    this.#watch();
  }

  /** Records that the stream, limited since `from`, has dropped all messages before the sequence `first`. */
  dropped(first: number, from: number): void {
    this.processes.write(['dropped', this.now(), first, from]);
    this.mirror?.dropped(first, from);
  }

  /** Records that the bucket was restored from an older copy. Later entries count as new, whatever their revisions are. */
  beginEra(): void {
    this.processes.write(['era', this.now()]);
    this.#revisions.clear();
  }

  /** Restarts the watch. Entries may have vanished without a deletion marker. */
  lookAgain(): void {
    this.processes.write(['looked-again', this.now()]);
    this.#revisions.clear();
    for (const watch of this.#watches.splice(0)) watch.stop();
    this.#watch?.();
  }

  close(): void {
    for (const watch of this.#watches) watch.stop();
    for (const file of [this.processes, this.#faults, this.#bucket]) file.close();
  }

  /** Records an entry unless it is known. A snapshot after a break repeats known entries. */
  #take({ key, revision, value }: BucketEntry): void {
    if ((this.#revisions.get(key) ?? 0) >= revision) return;
    this.#revisions.set(key, revision);
    const text = value === null ? null : Buffer.from(value).toString('utf8');
    this.#bucket.write([this.now(), revision, key, text]);
  }
}

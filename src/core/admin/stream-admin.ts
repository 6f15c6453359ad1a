import type { Config } from '../config/config.js';
import { configOf } from '../config/config-of.js';
import { sweep, sweepPartitions } from '../member/sweep.js';
import type { Concern, StreamUse } from '../nats/client/concern.js';
import type { NatsConnection } from '../nats/client/connection.js';
import { type ReadOptions, readStream } from '../nats/jetstream/read-stream.js';
import { storedMessage } from '../nats/jetstream/stored-message.js';
import { listGroups, newestRevision, purgeGroup } from '../nats/kv/groups.js';
import { natsPartitionTraces } from '../nats/kv/partition-traces.js';
import { natsSessionTraces } from '../nats/kv/session-traces.js';
import { countAfter } from '../nats/stream/group-begin.js';
import { NatsStreamAdmin } from '../nats/stream/stream-admin.js';
import type { Topology } from '../nats/stream/topology.js';
import type { Bucket } from '../ports/index.js';
import type { GroupObserver } from '../ports/observer.js';
import type { StoredMessage } from '../ports/stream-admin.js';
import type { FoundLetter } from '../protocol/dead-letter.js';
import type { Original } from '../protocol/dead-letter-original.js';
import type { LayoutRecord } from '../protocol/layout-records.js';
import {
  COUNT,
  checkArgument,
  checkGroups,
  checkOptions,
  checkPartition,
  END_OR_NULL,
  FUNCTION,
  GROUP,
  SEQUENCE,
  SET,
  SIGNAL,
  START,
  YES_OR_NO,
} from './arguments.js';
import { DeadLetterAdmin } from './dead-letters.js';
import { type DeletionPorts, purgeMessages, trimMessages } from './deletion.js';
import { GroupAdmin } from './group-admin.js';
import { otherLayouts } from './group-layout.js';
import { natsGroupPorts } from './group-ports.js';
import { unknownKey } from './keyed-messages.js';
import { OpenedGroups } from './opened-groups.js';
import type { RedriveOptions, RedriveOutcome } from './redrive.js';
import type { SharedReads } from './shared-reads.js';
import { readStreamStatus, type StreamStatus } from './stream-status.js';
import { planTrim, type TrimStep } from './trim.js';

/**
 * Gives an operator access to an existing stream: its messages, groups and dead letters. Creates nothing on the server.
 * Methods reject with a NatspocError, for example with the code `unreachable` or `not-permitted`.
 */
export class StreamAdmin implements AsyncDisposable {
  readonly #onClose: () => Promise<void>;
  readonly #config: Config;
  readonly #groups: OpenedGroups;
  readonly #letters: DeadLetterAdmin;

  private constructor(config: Config, groups: OpenedGroups, onClose: () => Promise<void>) {
    this.#onClose = onClose;
    this.#config = config;
    this.#groups = groups;
    this.#letters = new DeadLetterAdmin(config, groups);
  }

  /**
   * Opens the stream of a configuration. The caller closes the connection, or `onClose` does.
   *
   * @param uses the intended uses. A stream that would lose messages in one of them is refused. Default: reading only.
   * @param whole true for actions on all messages, such as a trim. They do not depend on the configured group.
   * @throws NatspocError `stream-missing`, `layout-mismatch`, …
   */
  static async open(
    connection: NatsConnection,
    config: Config,
    uses: readonly StreamUse[] = [],
    onClose: () => Promise<void> = async () => {},
    whole = false,
  ): Promise<StreamAdmin> {
    return new StreamAdmin(config, await OpenedGroups.open(connection, config, uses, whole), onClose);
  }

  /**
   * Opens a stream with all of its groups. If only groups with a key read the stream, the configured group may be missing. Then only
   * actions that need this group fail.
   *
   * @throws the errors of {@link open}.
   */
  static async openAll(
    connection: NatsConnection,
    config: Config,
    onClose: () => Promise<void>,
  ): Promise<StreamAdmin> {
    return new StreamAdmin(config, await OpenedGroups.openAll(connection, config), onClose);
  }

  get #topology(): Topology {
    return this.#groups.chosen;
  }

  /** The stream and its bucket, for operations that do not depend on the group. */
  get #shared(): Topology {
    return this.#groups.any;
  }

  get #messages(): NatsStreamAdmin {
    return new NatsStreamAdmin(this.#topology, this.#config.bucket);
  }

  get #deletion(): DeletionPorts {
    return {
      bucket: this.#topology.bucket,
      messages: this.#messages,
      observer: this.group().observer,
      observers: (groups) => this.#observers(groups),
    };
  }

  /** Closes the connection, if it was opened for this object. */
  close(): Promise<void> {
    return this.#onClose();
  }

  /** Closes the connection; see {@link close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** The layout that all members and publishers use. */
  get layout(): LayoutRecord {
    return this.#topology.layout;
  }

  /** For a keyed group: its key, and the subjects that it handles. */
  get keyed(): { key: string; filter: string } | undefined {
    const { keyed } = this.#topology;
    return keyed && { key: keyed.text, filter: keyed.filter };
  }

  /** Settings of the stream and its bucket that lose or could lose messages. */
  get concerns(): readonly Concern[] {
    return this.#shared.concerns;
  }

  /** The version of the connected server. */
  get serverVersion(): string {
    return this.#shared.connection.info?.version ?? 'unknown';
  }

  /**
   * A group of the stream. Default: the group of the configuration.
   *
   * @param shared reads that all groups share. Default: each group reads for itself.
   * @throws NatspocError `group-missing` if the stream is read only by groups with a key, and not by this group.
   */
  group(name = this.#config.group, shared?: SharedReads): GroupAdmin {
    checkArgument('group', name, GROUP);
    const config = { ...this.#config, group: name };
    const topology = this.#groups.of(name);
    return new GroupAdmin(config, topology.layout.partitions, natsGroupPorts(topology, config, shared));
  }

  /** The names of all groups, sorted. */
  groups(): Promise<string[]> {
    return listGroups(this.#shared, this.#config.bucket);
  }

  /** The bucket of leases and positions. */
  get bucket(): Bucket {
    return this.#shared.bucket;
  }

  /** The revision of the newest entry of the bucket. */
  newestRevision(): Promise<number> {
    return newestRevision(this.#shared, this.#config.bucket);
  }

  /**
   * Deletes the entries of a group up to a revision; later entries stay. The caller must make sure that the group has no live member.
   *
   * @returns the number of deleted entries, including old revisions.
   */
  purgeGroup(group: string, revision: number): Promise<number> {
    return purgeGroup(this.#shared, this.#config.bucket, group, revision);
  }

  /** The number of messages after a sequence, in all partitions of the configured group. */
  async waitingAfter(sequence: number): Promise<number> {
    return countAfter(this.#topology, sequence, this.#config.timeoutMs);
  }

  /** The stream, its partitions and its groups at one moment. */
  async status(): Promise<StreamStatus> {
    const { connection, layout } = this.#topology;
    // Each group is opened anew: it can have its own partitions, and a resize can have changed them.
    const statusOf = async (group: string) => {
      const opened = await StreamAdmin.open(connection, configOf(this.#config, group));
      return opened.group().status();
    };
    const of = { layout, keyed: this.keyed ?? null };
    return readStreamStatus(this.group().observer, of, await this.groups(), statusOf);
  }

  /** The message with this sequence; undefined if it does not exist (any more). */
  async message(sequence: number): Promise<StoredMessage | undefined> {
    checkArgument('sequence', sequence, SEQUENCE);
    return this.#messages.get(sequence);
  }

  /**
   * The messages of one partition, in order; of all partitions if `partition` is undefined. With `follow`, new messages follow the stored
   * ones until the signal aborts.
   */
  async *tail(
    partition: number | undefined,
    options: Omit<ReadOptions, 'stream' | 'filter'>,
  ): AsyncGenerator<StoredMessage> {
    const { stream, reads, keyed, layout } = this.#topology;
    if (partition !== undefined) checkPartition(partition, layout.partitions);
    const isSwitch = { follow: YES_OR_NO, headersOnly: YES_OR_NO };
    checkOptions('tail', options, { ...isSwitch, startSequence: START, signal: SIGNAL });
    if (partition !== undefined && keyed && !keyed.key) throw unknownKey(keyed.text);
    const [first, ...more] = partition === undefined ? [reads.all] : reads.of(partition);
    const filter = more.length > 0 ? reads.all : first;
    for await (const read of readStream(this.#topology, { ...options, stream, filter })) {
      const message = storedMessage(this.#topology, read);
      if (partition === undefined || message.partition === partition) yield message;
    }
  }

  /** Plans a trim of the messages that all of these groups have handled. */
  async planTrim(groups: readonly string[]): Promise<TrimStep[]> {
    checkGroups(groups);
    const { observer } = this.group();
    return planTrim(this.#observers(groups), observer, () => otherLayouts(this.#topology.bucket, groups));
  }

  /**
   * Carries out a plan. Records the deleted messages as handled, so that later owners do not count them as lost.
   *
   * @returns the number of deleted messages.
   */
  async trim(steps: readonly TrimStep[], groups: readonly string[]): Promise<number> {
    checkGroups(groups);
    return trimMessages(this.#deletion, steps, groups);
  }

  /**
   * Deletes the messages of a partition up to and including a sequence. A null `partition` means all partitions, a null `upTo` the end.
   * First records which messages were handled. Later owners then count only unhandled messages as lost. If this record fails, the messages
   * are deleted nevertheless.
   *
   * @param unrecorded called after the deletion if this record failed.
   * @returns the number of deleted messages.
   */
  async purge(
    partition: number | null,
    upTo: number | null,
    unrecorded: (error: unknown) => void = () => {},
  ): Promise<number> {
    if (partition !== null) checkPartition(partition, this.layout.partitions);
    checkArgument('upTo', upTo, END_OR_NULL);
    // For a keyed group, the purge is refused.
    const groups = this.#topology.keyed ? undefined : () => this.groups();
    return purgeMessages(this.#deletion, groups, { partition, upTo }, unrecorded);
  }

  /**
   * For all groups, deletes the entries of ended sessions and of partitions that the layout no longer has. Returns the number of ended
   * sessions whose entries were deleted.
   */
  async sweep(): Promise<number> {
    let swept = 0;
    for (const group of await this.groups()) {
      const place = { ...this.#config, group };
      swept += await sweep(natsSessionTraces(this.#shared, place));
      await sweepPartitions(natsPartitionTraces(this.#shared, this.bucket, place));
    }
    return swept;
  }

  /** Deletes the stream and the bucket with its layout, leases and positions. */
  async deleteAll(): Promise<void> {
    return this.#messages.deleteAll();
  }

  /**
   * All current dead letters, oldest first. The letters of a keyed group are shown with the key that the group computes. `foreign` is
   * called for messages that are not dead letters.
   */
  deadLetters(foreign: (sequence: number) => void = () => {}): AsyncGenerator<FoundLetter> {
    return this.#letters.letters(foreign);
  }

  /** Publishes dead letters to their partitions again. */
  async redrive(options: RedriveOptions): Promise<RedriveOutcome> {
    const listeners = { onRedriven: FUNCTION, onKept: FUNCTION };
    checkOptions('redrive', options, { group: GROUP, count: COUNT, ...listeners, signal: SIGNAL, only: SET });
    return this.#letters.redrive(options);
  }

  /** Deletes a dead letter for good. The original message stays in the stream, but is not handled again. */
  dropDeadLetter(letter: FoundLetter): Promise<void> {
    return this.#letters.drop(letter);
  }

  /** The message of a dead letter, even if it was stored in parts; undefined if a part no longer exists. */
  originalOf(letter: FoundLetter): Promise<Original | undefined> {
    return this.#letters.originalOf(letter);
  }

  /** Observers of the positions of groups. All groups have them in the same bucket, whatever their partitions. */
  #observers(groups: readonly string[]): Map<string, GroupObserver> {
    const observerOf = (group: string) => natsGroupPorts(this.#shared, { ...this.#config, group }).observer;
    return new Map(groups.map((group) => [group, observerOf(group)]));
  }
}

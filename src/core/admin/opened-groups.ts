import type { Config } from '../config/config.js';
import { NatspocError } from '../lib/errors.js';
import type { StreamUse } from '../nats/client/concern.js';
import type { NatsConnection } from '../nats/client/connection.js';
import { openGroupTopology, openKeyedTopologies } from '../nats/stream/group-topology.js';
import { chooseGroup } from '../nats/stream/missing-store.js';
import { openTopology, type Topology } from '../nats/stream/topology.js';

/** The groups of a stream that an operator has opened: the group of the configuration. After `openAll`, also all other keyed groups. */
export class OpenedGroups {
  readonly #config: Config;
  /** The group of the configuration, or the error if that group is missing. */
  readonly #chosen: Topology | NatspocError;
  /** Other groups with partitions of their own. */
  readonly #others: ReadonlyMap<string, Topology>;
  /** The topology of all other groups, or the error if the stream cannot be read by its own partitions. */
  readonly #own: Topology | NatspocError;

  private constructor(
    config: Config,
    chosen: Topology | NatspocError,
    others: ReadonlyMap<string, Topology> = new Map(),
    own = chosen,
  ) {
    this.#config = config;
    this.#chosen = chosen;
    this.#others = others;
    this.#own = own;
  }

  /**
   * Opens the group of the configuration.
   *
   * @param uses a stream that would lose messages in one of these uses is refused.
   * @param whole true for actions on all messages, such as a trim.
   * @throws NatspocError `stream-missing`, `layout-mismatch`, …
   */
  static async open(
    connection: NatsConnection,
    config: Config,
    uses: readonly StreamUse[],
    whole: boolean,
  ): Promise<OpenedGroups> {
    return new OpenedGroups(config, await openGroupTopology(connection, config, uses, whole));
  }

  /**
   * Opens all groups. The group of the configuration can be missing if only keyed groups read the stream. Then {@link chosen} throws.
   *
   * @throws NatspocError as {@link open}.
   */
  static async openAll(connection: NatsConnection, config: Config): Promise<OpenedGroups> {
    const chosen = await orError(
      openGroupTopology(connection, config, []),
      ({ code }) => code === 'group-missing',
    );
    const others = await openKeyedTopologies(connection, config);
    if (chosen instanceof NatspocError && others.size === 0) throw chosen;
    const isOwn = chosen instanceof NatspocError || !chosen.keyed;
    const own = isOwn
      ? chosen
      : await orError(
          openTopology(connection, config, { create: false }),
          ({ code }) => code !== 'unreachable',
        );
    return new OpenedGroups(config, chosen, others, own);
  }

  /**
   * The group of the configuration.
   *
   * @throws NatspocError `group-missing` if only keyed groups read the stream, and this group is not one of them.
   */
  get chosen(): Topology {
    if (this.#chosen instanceof NatspocError) throw this.#chosen;
    return this.#chosen;
  }

  /** Any opened group, for what all groups of a stream share: the bucket, the connection and the dead letters. */
  get any(): Topology {
    if (!(this.#chosen instanceof NatspocError)) return this.#chosen;
    const [any] = this.#others.values();
    return any ?? this.chosen;
  }

  /**
   * The topology of a group. A group without partitions of its own has that of the stream.
   *
   * @throws NatspocError `group-missing`, as {@link chosen}.
   */
  of(name: string): Topology {
    const topology = this.find(name) ?? this.#own;
    if (!(topology instanceof NatspocError)) return topology;
    if (topology.code !== 'group-missing') throw topology;
    const chosen = this.#chosen instanceof NatspocError ? [] : [this.#config.group];
    throw chooseGroup({ ...this.#config, group: name }, [...chosen, ...this.#others.keys()].sort());
  }

  /** The group with this name if it was opened; otherwise undefined. */
  find(name: string): Topology | undefined {
    if (name !== this.#config.group) return this.#others.get(name);
    return this.#chosen instanceof NatspocError ? undefined : this.#chosen;
  }
}

/** The topology, or the error if it is an expected one. */
const orError = (
  opening: Promise<Topology>,
  isExpected: (error: NatspocError) => boolean,
): Promise<Topology | NatspocError> =>
  opening.catch((error: unknown) => {
    if (error instanceof NatspocError && isExpected(error)) return error;
    throw error;
  });

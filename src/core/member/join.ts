import { hostname } from 'node:os';
import type { Config } from '../config/config.js';
import { systemClock } from '../lib/clock.js';
import { startPatienceMs } from '../nats/client/ask-again.js';
import { warningsOf } from '../nats/client/concern.js';
import type { NatsConnection } from '../nats/client/connection.js';
import { reopenWhenSilent } from '../nats/client/silent-connection.js';
import { natsPartitionTraces } from '../nats/kv/partition-traces.js';
import { natsSessionTraces } from '../nats/kv/session-traces.js';
import { MicroIdentities, microProber, natsLink } from '../nats/service/control.js';
import { NatsDeadLetters } from '../nats/stream/dead-letters.js';
import type { Uncovered } from '../ports/facts.js';
import type { MessageKey } from '../protocol/message-key.js';
import type { MemberEvents } from './engine/contract.js';
import { MemberEngine } from './engine/engine.js';
import { memberControl } from './member-control.js';
import { groupStart } from './partition/group-start.js';
import type { Handler, InBatches } from './partition/handler.js';
import type { Logger } from './partition/logger.js';
import type { StateHooks } from './partition/partition-state.js';
import type { Barrier } from './partition/position-writer.js';
import type { Quota } from './partition/quota.js';
import type { CallLimit } from './partition/slots.js';
import type { Judge } from './partition/verdict.js';
import { budgetOf, memberSettings, safeTiming } from './settings.js';
import { shareReaders } from './shared/share-readers.js';
import { openSource } from './source.js';
import { keepSweeping } from './sweep.js';
import { keepLookingForUncovered } from './uncovered.js';

/** Options for starting a member. */
export interface JoinOptions {
  connection: NatsConnection;
  config: Config;
  /** The member's name for display. */
  name: string;
  /** Version of the program, a semantic version. */
  version: string;
  handler: Handler | InBatches;
  /**
   * How a keyed group finds the key of a message. Set only if a function of the program returns the key. The setting `key` is then the
   * function's name.
   */
  messageKey?: MessageKey | undefined;
  /** Makes the effects of handled messages safe. Each commit waits for the barrier. */
  barrier?: Barrier | undefined;
  /** Receives the log lines of handlers. */
  logger?: Logger | undefined;
  /** The program's functions that are called when a partition starts or ends at this member. */
  hooks?: StateHooks | undefined;
  /** Decides what follows a failed attempt. If the judge returns no verdict, the failure policy decides. */
  judge?: Judge | undefined;
  /** Limits the handler calls in all partitions; replaces `maxConcurrency`. */
  limit?: CallLimit | undefined;
  /** Limits the total number of handled messages. */
  quota?: Quota | undefined;
  events: MemberEvents;
  /** Called when the stream holds messages that belong to no partition. */
  onUncovered?: ((found: Uncovered) => void) | undefined;
  /** Returns the data that the member's micro service adds to its STATS answers. */
  stats: (member: MemberEngine) => unknown;
}

/**
 * Starts a member: creates a missing stream, bucket and layout, and joins the group. The caller closes the
 * connection.
 *
 * @throws NatspocError if the group cannot be joined: layout mismatch, unsafe times, no permission.
 */
export async function startMember(options: JoinOptions): Promise<MemberEngine> {
  const { connection, config, name, version } = options;
  const host = hostname();
  const timing = safeTiming(config);

  reopenWhenSilent(connection);
  const warn = (text: string): void => options.logger?.warn({ event: 'concern', group: config.group }, text);
  const source = await openSource(connection, config, options.messageKey, ({ severity, message }) =>
    warn(severity === 'refused' ? `${message} Until then, no member of the group can start.` : message),
  );
  const { handles, partitions, prefix } = source;
  if (source.note !== undefined) options.logger?.warn({ event: 'setting', group: config.group }, source.note);
  for (const { message } of warningsOf(source.concerns, ['handle'])) warn(message);
  const deadLetters = new NatsDeadLetters(handles, {
    ...config,
    replicas: source.replicas,
    prefix: source.deadPrefix,
  });
  // If only a judge can request dead letters, the stream of dead letters is created when it is needed.
  if (config.onFailure === 'dead-letter' || config.withoutKey === 'dead-letter')
    await deadLetters.ensure(startPatienceMs(config));
  const { group } = config;
  const { bucket } = source;
  // The group's start is decided before other clients can see the member. Every message that they publish after seeing it therefore counts
  // as new.
  const start = await groupStart(
    group,
    config.from,
    { bucket, stream: source.events, clock: systemClock, key: source.key },
    startPatienceMs(config),
  );
  await source.begin?.();
  const of = { group, clock: systemClock, start, budget: budgetOf(config) };
  const { partitionIn, eventsOf, keeperOf } = source.resizable;
  const member: MemberEngine = new MemberEngine(
    memberSettings(config, { name, version, partitions, layout: source.layout, start, timing }),
    {
      bucket,
      layout: source.keeper,
      stream: source.shared ? shareReaders(source.events, partitions, source.shared, of) : source.events,
      partitionIn,
      resized: (layout) => ({
        stream: shareReaders(
          eventsOf(layout),
          layout.partitions,
          (message) => partitionIn(message, { partitions: layout.partitions }),
          of,
        ),
        layout: keeperOf(layout),
      }),
      prober: microProber(connection, {
        stream: config.stream,
        group,
        inboxPrefix: config.inboxPrefix,
        timeoutMs: Math.max(100, config.probeIntervalMs),
      }),
      identities: new MicroIdentities(connection, {
        stream: config.stream,
        group,
        prefix,
        version,
        metadata: { group, stream: config.stream, host, pid: String(process.pid), name },
        stats: () => options.stats(member),
        control: memberControl(() => member),
      }),
      link: natsLink(connection),
      clock: systemClock,
      cpuMs: () => {
        const { user, system } = process.cpuUsage();
        return (user + system) / 1_000;
      },
      handler: options.handler,
      barrier: options.barrier,
      logger: options.logger,
      quota: options.quota,
      deadLetters: deadLetters.storeFor(group),
      judge: options.judge,
      hooks: options.hooks,
      limit: options.limit,
    },
    options.events,
  );
  member.start();
  const stopSweeping = keepSweeping(
    natsSessionTraces(handles, config),
    natsPartitionTraces(handles, bucket, config),
  );
  const stopLooking = keepLookingForUncovered(source.uncovered, (found) => options.onUncovered?.(found));
  const stop = (): void => {
    stopSweeping();
    stopLooking();
  };
  member.closed.then(stop, stop);
  return member;
}

import { MemberEngine } from '../member/engine/engine.js';
import type { JoinOptions } from '../member/join.js';
import { groupStart } from '../member/partition/group-start.js';
import { memberSettings, safeTiming } from '../member/settings.js';
import type { DeadLetter } from '../protocol/message.js';
import type { KeyValues } from './key-values.js';
import { LocalBucket } from './local-bucket.js';
import { LocalEvents } from './local-events.js';
import type { LocalProcess } from './local-process.js';
import type { MessageLog } from './message-log.js';

/** What all members of a local stream share. */
export interface LocalServer {
  readonly partitions: number;
  readonly values: KeyValues;
  readonly log: MessageLog;
  readonly dead: DeadLetter[];
  /** The process of each session id; null: it has closed this id. */
  readonly present: Map<string, LocalProcess | null>;
  /** When the stream was created, milliseconds since 1970. */
  readonly createdMs: number;
}

/** Starts the engine of a member on the model, as `startMember` does over a connection. */
export async function startLocalMember(
  server: LocalServer,
  process: LocalProcess,
  options: Omit<JoinOptions, 'connection'>,
): Promise<MemberEngine> {
  const { config, name, version, events, ...program } = options;
  const { partitions, present, dead } = server;
  const { clock } = process;
  const timing = safeTiming(config);
  const bucket = new LocalBucket(server.values, process, name);
  const stream = new LocalEvents(server.log, process, server.createdMs);
  const start = await groupStart(config.group, config.from, { bucket, stream, clock }, config.timeoutMs);
  const engine = new MemberEngine(
    memberSettings(config, { name, version, partitions, layout: undefined, start, timing }),
    {
      ...program,
      bucket,
      stream,
      clock,
      prober: {
        probe: (id) => process.ask(() => (present.get(id)?.hasEnded === false ? 'alive' : 'no-responders')),
      },
      identities: {
        create: () =>
          process.ask(() => {
            const id = `local${present.size + 1}`;
            present.set(id, process);
            return { id, probeable: true, close: () => void present.set(id, null) };
          }),
      },
      link: { watch: () => () => {} },
      deadLetters: {
        store: (letter) =>
          process.ask(() => {
            dead.push(letter);
            return { kind: 'ok' };
          }),
      },
    },
    events,
  );
  engine.start();
  return engine;
}

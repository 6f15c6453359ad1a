import { MemberEngine } from '../member/engine/engine.js';
import type { JoinOptions } from '../member/join.js';
import { memberSettings, safeTiming } from '../member/settings.js';
import { LocalBucket } from './local-bucket.js';
import type { LocalProcess } from './local-process.js';
import type { LocalServer } from './local-server.js';
import { openLocalSource } from './local-source.js';

/** The engine of a member, and the number of partitions of its group. */
export interface LocalMember {
  readonly engine: MemberEngine;
  readonly partitions: number;
}

/**
 * Starts the engine of a member. It uses the simulated server instead of a connection, but otherwise works like `startMember`.
 */
export async function startLocalMember(
  server: LocalServer,
  process: LocalProcess,
  options: Omit<JoinOptions, 'connection'>,
): Promise<LocalMember> {
  const { config, name, version, messageKey, events, ...program } = options;
  const { present, dead } = server;
  const { clock } = process;
  const timing = safeTiming(config);
  const bucket = new LocalBucket(server.values, process, name);
  const source = await openLocalSource({ server, process, bucket, config, messageKey });
  const engine = new MemberEngine(
    memberSettings(config, { ...source, name, version, timing }),
    {
      ...program,
      bucket,
      stream: source.events,
      layout: source.keeper,
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
  return { engine, partitions: source.partitions };
}

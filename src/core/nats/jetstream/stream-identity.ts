import type { NatsConnection, StreamInfo } from 'nats';
import type { NatsHandles } from '../client/handles.js';
import { keepsCreation } from '../client/server-version.js';

/**
 * When a stream was created, in milliseconds since 1970 on the server's clock. Undefined if unknown.
 *
 * Some server versions may report a wrong time. Their time is trusted if the stream never stored a message. It is also
 * trusted if message 1 still exists and is not older than the stream, because a recreated stream starts again at
 * sequence 1.
 */
export function createdAt(
  { created, state }: Pick<StreamInfo, 'created' | 'state'>,
  connection: Pick<NatsConnection, 'info'>,
): number | undefined {
  // The client declares a number, but the server sends a text in the format of RFC 3339.
  const at = known(Date.parse(String(created)));
  if (at === undefined || keepsCreation(connection)) return at;
  const isFirstThere = state.first_seq === 1 && Date.parse(state.first_ts) >= at;
  return isFirstThere || state.last_seq === 0 ? at : undefined;
}

/**
 * When the message with this sequence was stored, in milliseconds since 1970 on the server's clock. Returns undefined if
 * the message no longer exists or cannot be read.
 */
export async function storedAt(
  { manager }: Pick<NatsHandles, 'manager'>,
  stream: string,
  sequence: number,
): Promise<number | undefined> {
  try {
    const { time } = await manager.streams.getMessage(stream, { seq: sequence });
    return known(time.getTime());
  } catch {
    return undefined;
  }
}

const known = (ms: number): number | undefined => (Number.isSafeInteger(ms) && ms >= 0 ? ms : undefined);

import type { NatsConnection, StreamInfo } from 'nats';
import type { NatsHandles } from '../client/handles.js';
import { keepsCreation } from '../client/server-version.js';

/**
 * When a stream was created, in milliseconds since 1970 on the server's clock; undefined if unknown, or if the server may
 * report a wrong time. The time from any server version is trusted if the stream has never stored a message. The time is
 * also trusted if the stream still contains message 1, and stored message 1 at or after the creation time. An older message
 * 1 would prove the time wrong, because a recreated stream starts again at sequence 1.
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
 * When the message with this sequence was stored, in milliseconds since 1970 on the server's clock. Returns undefined if the
 * message no longer exists, the leader did not answer, or reading is not permitted.
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

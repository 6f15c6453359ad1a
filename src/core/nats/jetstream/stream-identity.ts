import type { NatsConnection, StreamInfo } from 'nats';
import type { NatsHandles } from '../client/handles.js';
import { keepsCreation } from '../client/server-version.js';

/**
 * When a stream was created, milliseconds since 1970 on the server's clock; undefined: the server does not say, or is one
 * that may have forgotten. A stream that holds its first message, stored after that time, is believed on any server: one
 * that was made anew begins with sequence 1 again.
 */
export function createdAt(
  { created, state }: Pick<StreamInfo, 'created' | 'state'>,
  connection: Pick<NatsConnection, 'info'>,
): number | undefined {
  // The client calls it a number; the server sends RFC 3339.
  const at = known(Date.parse(String(created)));
  if (at === undefined || keepsCreation(connection)) return at;
  const isFirstThere = state.first_seq === 1 && Date.parse(state.first_ts) >= at;
  return isFirstThere || state.last_seq === 0 ? at : undefined;
}

/**
 * When the message of a sequence was stored, milliseconds since 1970 on the server's clock; undefined: it is gone, or the
 * leader did not say, or this user may not ask.
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

import type { StreamInfo } from 'nats';
import type { NatsHandles } from '../client/handles.js';

/** When a stream was created, milliseconds since 1970 on the server's clock; undefined: the server does not say. */
export function createdAt({ created }: Pick<StreamInfo, 'created'>): number | undefined {
  // The client calls it a number; the server sends RFC 3339.
  return known(Date.parse(String(created)));
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

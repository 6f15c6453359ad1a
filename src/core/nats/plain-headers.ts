import type { MsgHdrs } from 'nats';

/** The headers of a message as plain data: the last value of each name. */
export function plainHeaders(headers: MsgHdrs | undefined): Record<string, string> {
  const plain: Record<string, string> = {};
  for (const [name, values] of headers ?? []) plain[name] = values.at(-1) ?? '';
  return plain;
}

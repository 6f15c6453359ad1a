import { parseObject } from '../lib/json.js';

/**
 * A very large message leaves no room for the headers of a dead letter. Its own headers and payload are then stored
 * separately, cut into parts.
 */

/** The headers and payload of a message. */
export interface Original {
  headers: Readonly<Record<string, string>>;
  data: Uint8Array;
}

const LINE_FEED = 0x0a;

/** Encodes a message: its headers as one line of JSON, then the payload. */
export function encodeOriginal({ headers, data }: Original): Uint8Array {
  const line = new TextEncoder().encode(`${JSON.stringify(headers)}\n`);
  const bytes = new Uint8Array(line.length + data.length);
  bytes.set(line);
  bytes.set(data, line.length);
  return bytes;
}

/** Decodes a message from its ordered parts; undefined if they do not form a message. */
export function decodeOriginal(parts: readonly Uint8Array[]): Original | undefined {
  const bytes = Buffer.concat(parts);
  const end = bytes.indexOf(LINE_FEED);
  const found = parseObject(bytes.subarray(0, Math.max(0, end)));
  if (!found) return undefined;
  const headers: [string, string][] = [];
  for (const [name, value] of Object.entries(found)) {
    if (typeof value !== 'string') return undefined;
    headers.push([name, value]);
  }
  return { headers: Object.fromEntries(headers), data: bytes.subarray(end + 1) };
}

/** Cuts bytes into pieces of at most `size`. */
export function cut(bytes: Uint8Array, size: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
  return pieces;
}

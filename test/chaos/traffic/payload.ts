import { crc32 } from 'node:zlib';

/** A message of the traffic. `number` increases over the whole run. `sum` is a checksum of the whole payload. */
export interface Payload {
  key: string;
  number: number;
  pad: string;
  sum: number;
}

const checksum = (key: string, number: number, pad: string): number => crc32(`${key} ${number} ${pad}`);

/** Formats one line of JSON without the newline. */
export function payloadLine(key: string, number: number, pad: string): string {
  return JSON.stringify({ key, number, pad, sum: checksum(key, number, pad) } satisfies Payload);
}

/** Reads the number of a message. `intact` means that the payload is the one that was published under this key. */
export function readPayload(text: string, key: string | null): { number: number; intact: boolean } {
  try {
    const value = JSON.parse(text) as Partial<Payload>;
    const { number, pad } = value;
    if (typeof number !== 'number' || typeof value.key !== 'string' || typeof pad !== 'string') {
      return { number: 0, intact: false };
    }
    return { number, intact: value.key === key && value.sum === checksum(value.key, number, pad) };
  } catch {
    return { number: 0, intact: false };
  }
}

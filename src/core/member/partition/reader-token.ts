import { randomBytes } from 'node:crypto';

const TOKEN_BYTES = 12;

/**
 * Creates the random part of a reader's name, in lowercase hexadecimal. The random part is needed because epochs are not unique.
 * The same epochs occur again in another bucket of the stream and in a recreated bucket. The position records this token, so
 * that the next owner can delete the reader.
 */
export const newReaderToken = (): string => randomBytes(TOKEN_BYTES).toString('hex');

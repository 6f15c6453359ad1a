import { randomBytes } from 'node:crypto';

const TOKEN_BYTES = 12;

/**
 * The random part of a reader's name. Epochs are not unique: they repeat in another bucket of the stream and in a
 * recreated bucket. The position records this token, so that the next owner can delete the reader. Lowercase hexadecimal.
 */
export const newReaderToken = (): string => randomBytes(TOKEN_BYTES).toString('hex');

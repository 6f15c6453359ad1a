import { randomBytes } from 'node:crypto';

const TOKEN_BYTES = 12;

/**
 * What makes a reader's name unique: random, because epochs come again in another bucket of the stream, and in one that
 * was made anew. The position carries it, so that the next owner can delete the reader. Lowercase hexadecimal.
 */
export const newReaderToken = (): string => randomBytes(TOKEN_BYTES).toString('hex');

import { randomBytes } from 'node:crypto';

const TOKEN_BYTES = 12;

/**
 * Creates the random part of a reader's name, in lowercase hexadecimal. Epochs alone are not unique. They occur again in a recreated
 * bucket, or in another bucket of the stream. The position records this token, so that the next owner can delete the reader.
 */
export const newReaderToken = (): string => randomBytes(TOKEN_BYTES).toString('hex');

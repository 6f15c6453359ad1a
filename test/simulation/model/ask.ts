import { ErrorCode, NatsError } from 'nats';
import type { Connection, Side } from './connection.js';
import { request } from './request.js';

/** The client's default timeout of a JetStream API request. */
const TIMEOUT_MS = 5_000;

export type Answer<T> = { value: T } | { error: NatsError };

/**
 * Sends a JetStream API request as the client does. `atServer` runs when it arrives.
 *
 * @throws NatsError the server's error, or `TIMEOUT` if there is no answer.
 */
export async function ask<T>(
  connection: Connection,
  atServer: (answer: (value: Answer<T>) => void, side: Side) => void,
  timeoutMs = TIMEOUT_MS,
): Promise<T> {
  const answered = await request<Answer<T> | undefined>(
    connection,
    timeoutMs,
    (side, answer) => atServer(answer, side),
    undefined,
  );
  if (!answered) throw NatsError.errorForCode(ErrorCode.Timeout);
  if ('error' in answered) throw answered.error;
  return answered.value;
}

export function apiError(code: number, description: string): NatsError {
  const error = new NatsError(description, '404');
  error.api_error = { err_code: code, code: 404, description };
  return error;
}

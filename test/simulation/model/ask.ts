import { ErrorCode, NatsError } from 'nats';
import type { Connection, Side } from './connection.js';
import { request } from './request.js';

/** How long the JetStream API is waited for, as the client does by default. */
const TIMEOUT_MS = 5_000;

/** What the server answers to a question of the JetStream API. */
export type Answer<T> = { value: T } | { error: NatsError };

/**
 * Asks the JetStream API something, as the client does: `atServer` runs when the question gets there.
 *
 * @throws NatsError what the server answers, or `TIMEOUT` where it does not.
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

/** An error as the JetStream API answers it. */
export function apiError(code: number, description: string): NatsError {
  const error = new NatsError(description, '404');
  error.api_error = { err_code: code, code: 404, description };
  return error;
}

import { ErrorCode, NatsError } from 'nats';
import { withoutStop } from '../../lib/text.js';
import type { Unanswered } from '../../lib/unanswered.js';
import type { NoAnswer } from '../../ports/no-answer.js';
import { mayPass } from './gone.js';
import type { NatsHandles } from './handles.js';
import { explainTo } from './manager.js';
import { toNatspocError } from './outcome.js';

/** The outcome of a request that failed and may have been executed, with the cause if it is known. */
export function unknownOutcome(
  { manager }: Pick<NatsHandles, 'manager'>,
  error: unknown,
  doing: string,
): { kind: 'unknown' } & Unanswered {
  const explained = explainTo(manager, error, doing);
  if (error instanceof NatsError && error.code === ErrorCode.ConnectionClosed)
    return { kind: 'unknown', closed: explained };
  if (explained.code !== 'jetstream-disabled') return { kind: 'unknown' };
  return { kind: 'unknown', unheard: withoutStop(explained.message) };
}

/** The outcome of a failed request about a stream. See {@link mayPass}. */
export async function withoutAnswer(
  error: unknown,
  handles: NatsHandles,
  stream: string,
  doing: string,
): Promise<NoAnswer> {
  if (await mayPass(error, handles, stream)) return unknownOutcome(handles, error, doing);
  return { kind: 'failed', error: toNatspocError(error, doing) };
}

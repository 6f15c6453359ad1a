import { type NatsConnection, NatsError } from 'nats';
import { type ControlClient, decodeControlAnswer, memberSubject } from '../../protocol/member-orders.js';
import { toNatspocError } from '../client/outcome.js';
import { SERVICE_ERROR } from './micro-service.js';

/** Sends an operator's requests to the endpoints of members. */
export const natsControlClient = (
  connection: NatsConnection,
  stream: string,
  group: string,
): ControlClient => ({
  async ask(session, verb, request, timeoutMs) {
    const subject = memberSubject(stream, group, session, verb);
    try {
      const answer = await connection.request(subject, request, { timeout: timeoutMs });
      const refusal = answer.headers?.get(SERVICE_ERROR);
      if (refusal) return { kind: 'refused', message: refusal };
      const partitions = decodeControlAnswer(answer.data);
      return partitions
        ? { kind: 'taken', partitions }
        : { kind: 'refused', message: 'its answer cannot be read' };
    } catch (error) {
      if (error instanceof NatsError && error.code === '503') return { kind: 'gone' };
      if (error instanceof NatsError && error.permissionContext) {
        const { operation, subject: denied } = error.permissionContext;
        return { kind: 'denied', message: `not permitted to ${operation} ${denied}` };
      }
      if (error instanceof NatsError && error.code === 'TIMEOUT') return { kind: 'silent' };
      throw toNatspocError(error, `ask a member to ${verb}`);
    }
  },
});

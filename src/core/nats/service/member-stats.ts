import { createInbox, type NatsConnection } from 'nats';
import { asObject, parseObject } from '../../lib/json.js';
import type { StatsFacts } from '../../ports/facts.js';
import { memberSubject } from '../../protocol/member-orders.js';
import { decodeMemberStats, type MemberStats } from '../../protocol/member-stats.js';
import { listen } from '../client/listen.js';
import { watchConnection } from '../client/watch-connection.js';

/** The stats in a STATS answer (ADR-32), from the first endpoint whose data contains stats. */
export function decodeStatsAnswer(bytes: Uint8Array): MemberStats | undefined {
  const { endpoints } = parseObject(bytes) ?? {};
  if (!Array.isArray(endpoints)) return undefined;
  for (const endpoint of endpoints as unknown[]) {
    const stats = decodeMemberStats(asObject(endpoint)?.data);
    if (stats) return stats;
  }
  return undefined;
}

/**
 * Asks these sessions for their stats. Ends when all have answered, at the latest after `waitMs`. A refused request or a
 * lost connection ends it too. Never rejects.
 */
export async function collectStats(
  connection: NatsConnection,
  { stream, group, inboxPrefix }: { stream: string; group: string; inboxPrefix: string | undefined },
  sessions: readonly string[],
  waitMs: number,
): Promise<StatsFacts> {
  const members: MemberStats[] = [];
  const gone: string[] = [];
  const refused = new Set<string>();
  if (sessions.length === 0 || connection.isClosed()) return { members, gone };
  await new Promise<void>((resolve) => {
    const inbox = createInbox(inboxPrefix);
    const waiting = new Set(sessions);
    const asked = new Map(
      sessions.map((session) => [memberSubject(stream, group, session, 'stats'), session]),
    );
    // The token after the inbox identifies the member, even in the server's "no responders".
    const subscription = listen(connection, `${inbox}.*`, {
      message: (message) => {
        const session = message.subject.slice(inbox.length + 1);
        if (message.headers?.code === 503) gone.push(session);
        else {
          const stats = decodeStatsAnswer(message.data);
          if (stats?.session === session) members.push(stats);
        }
        waiting.delete(session);
        if (waiting.size === 0) finish();
      },
      failed: finish,
    });
    const unwatch = watchConnection(connection, {
      refused: (_operation, subject) => {
        if (!asked.has(subject)) return;
        refused.add(subject);
        finish();
      },
      closed: finish,
    });
    const timer = setTimeout(finish, waitMs);
    function finish(): void {
      clearTimeout(timer);
      unwatch();
      subscription.unsubscribe();
      resolve();
    }
    for (const [subject, session] of asked) {
      connection.publish(subject, undefined, { reply: `${inbox}.${session}` });
    }
  }).catch(() => {
    // The connection is being closed.
  });
  return { members, gone, denied: refused.size > 0 };
}

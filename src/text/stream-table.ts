import { describeMembers, type StreamStatus } from '../core/admin/stream-status.js';
import { escapeControl } from '../core/lib/text.js';
import { aboutCount, countOf, formatBytes, formatCount, formatDuration } from '../core/lib/units.js';
import { describeUncovered } from '../core/member/status-lines.js';
import type { StreamFacts } from '../core/ports/facts.js';
import { describeDeadLetters } from './dead-letter-lines.js';
import { isoTime, streamJson } from './json.js';
import { formatPairs, formatTable } from './table.js';
import { timeOfDay } from './time-of-day.js';

/** Facts that are shown with a stream's status. */
export interface StreamSurroundings {
  bucket: string;
  serverVersion: string;
  /** Settings that lose messages, or could lose them. */
  concerns: readonly { severity: 'refused' | 'warning'; setting: string; message: string }[];
}

const age = (ms: number): string => formatDuration(Math.max(0, Date.now() - ms));
const when = (ms: number | null): string => (ms === null ? '-' : `${timeOfDay(ms)}, ${age(ms)} ago`);

/** The limits of a stream as text. */
export function describeLimits({ maxMessages, maxBytes, maxAgeMs }: StreamFacts): string {
  const limits = [
    maxMessages !== null && `${formatCount(maxMessages)} messages`,
    maxBytes !== null && formatBytes(maxBytes),
    maxAgeMs !== null && `${formatDuration(maxAgeMs)} old`,
  ].filter((limit) => limit !== false);
  return limits.length > 0 ? `at most ${limits.join(', ')}` : 'none';
}

/** The replicas of a stream as text. */
export function describeReplicas({ replicas, leader, followers }: StreamFacts): string {
  if (leader === null) return String(replicas);
  const others = followers.map(({ name, current }) => (current ? name : `${name} (behind)`));
  return escapeControl(`${replicas}, leader ${[leader, ...others].join(', ')}`);
}

const lagText = ({
  lag,
  lagIsEstimate,
  wrongPositions,
}: Pick<StreamStatus['groups'][number], 'lag' | 'lagIsEstimate' | 'wrongPositions'>): string =>
  lag === null ? `unknown: ${countOf(wrongPositions, 'wrong position')}` : aboutCount(lag, lagIsEstimate);

/**
 * The text of `stream info`.
 *
 * @param width of the terminal. If necessary, the least important columns are omitted, and long values wrap.
 */
export function formatStream(
  { stream, layout, keyed, partitions, groups, deadLetters }: StreamStatus,
  surroundings: StreamSurroundings,
  width?: number,
): string[] {
  const { duplicateWindowMs } = stream;
  const described: [string, string][] = [
    ['Stream', escapeControl(stream.name)],
    ['Subjects', escapeControl(stream.subjects.join(', '))],
    [
      'Layout',
      keyed
        ? `${layout.partitions} partitions by ${escapeControl(keyed.key)} of ${escapeControl(keyed.filter)}, hash ${layout.hash}`
        : `${layout.partitions} partitions of ${escapeControl(layout.prefix)}.p.N, keys by ${layout.hash}`,
    ],
    ['Bucket', escapeControl(surroundings.bucket)],
    ['Messages', `${formatCount(stream.messages)}, ${formatBytes(stream.bytes)}`],
    ...(stream.uncovered
      ? [['Warning', describeUncovered(stream.uncovered)] satisfies [string, string]]
      : []),
    ['Dead letters', describeDeadLetters(deadLetters)],
    ['Sequences', stream.messages === 0 ? '-' : `${stream.firstSequence} to ${stream.lastSequence}`],
    ['First', when(stream.firstAtMs)],
    ['Last', when(stream.lastAtMs)],
    ['Limits', describeLimits(stream)],
    [
      'Duplicates',
      duplicateWindowMs === null ? 'not detected' : `detected for ${formatDuration(duplicateWindowMs)}`,
    ],
    ['Storage', stream.storage],
    ['Replicas', describeReplicas(stream)],
    ['Consumers', formatCount(stream.consumers)],
    ['Server', escapeControl(surroundings.serverVersion)],
    ...surroundings.concerns.map(({ severity, message }): [string, string] => [
      severity === 'refused' ? 'Refused' : 'Warning',
      escapeControl(message),
    ]),
  ];
  const partitionTable = formatTable(
    [
      { title: 'PARTITION' },
      { title: 'MESSAGES', align: 'right' },
      { title: 'END', align: 'right' },
      { title: 'LAST STORED', rank: 1 },
      { title: 'AGO', align: 'right' },
    ],
    partitions.map(({ partition, messages, end, lastAtMs }) => [
      `p${partition}`,
      messages === null ? '-' : formatCount(messages),
      end === null ? '-' : String(end),
      lastAtMs === null ? '-' : timeOfDay(lastAtMs, true),
      lastAtMs === null ? '-' : age(lastAtMs),
    ]),
    width,
  );
  const groupTable = formatTable(
    [
      { title: 'GROUP' },
      { title: 'MEMBERS', align: 'right' },
      { title: 'OWNED', align: 'right', rank: 1 },
      { title: 'LAG', align: 'right' },
    ],
    groups.map(({ group, members, unreachable, owned, partitions, problem, ...each }) =>
      problem === null
        ? [
            escapeControl(group),
            unreachable > 0 ? describeMembers({ members, unreachable }) : String(members),
            `${owned} of ${partitions}`,
            lagText(each),
          ]
        : [escapeControl(group), '-', '-', 'unreadable: see "natspoc groups"'],
    ),
    width,
  );
  return [
    ...formatPairs(described, width),
    ...(keyed ? [] : ['', ...partitionTable]),
    ...(groups.length > 0 ? ['', ...groupTable] : []),
  ];
}

/** The status for `--json`. */
export function streamStatusJson(status: StreamStatus, surroundings: StreamSurroundings): unknown {
  const { prefix, partitions, hash } = status.layout;
  return {
    ...streamJson(status.stream),
    layout: status.keyed ? { ...status.keyed, partitions, hash } : { prefix, partitions, hash },
    bucket: surroundings.bucket,
    server: { version: surroundings.serverVersion },
    concerns: surroundings.concerns.map(({ severity, setting, message }) => ({ severity, setting, message })),
    partitions: status.partitions.map(({ lastAtMs, ...each }) => ({ ...each, lastAt: isoTime(lastAtMs) })),
    groups: status.groups,
    deadLetters: status.deadLetters,
  };
}

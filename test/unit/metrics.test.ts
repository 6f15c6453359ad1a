import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { exporterMetrics } from '../../src/cli/exporter/exporter-metrics.js';
import { KnownGroups } from '../../src/cli/exporter/known-groups.js';
import { METRICS, type MetricDefinition } from '../../src/core/health/definitions.js';
import { Metrics } from '../../src/core/health/metrics.js';
import type { HealthSubject } from '../../src/core/health/subject.js';
import { holdUp } from '../../src/core/protocol/hold-up.js';
import { lease, member } from '../support/group-status.js';

const HELD = holdUp({ why: 'retrying', reason: 'no connection', forMs: 12_000 });

class Member extends EventEmitter implements HealthSubject {
  readonly id = 'A';
  readonly partitions = [
    {
      partition: 0,
      state: 'retrying',
      position: 4,
      lag: 30,
      oldestAtMs: Date.now() - 60_000,
      pause: { by: 'ann@host', at: '2026-11-29T00:00:00.000Z' },
      holdUp: HELD,
    },
    { partition: 1, state: 'running', position: 9, lag: 0 },
  ];
  readonly standing = [];
  readonly counters = { handled: 7, failed: 1, deadLettered: 0, skipped: 0, withoutKey: 0 };
  readonly stats = { partitions: [{ partition: 0, lag: 30, ratePerSecond: 10 }] };
  readonly memory = { allocBytes: 1, sysBytes: 2 };
}

async function ofMember(): Promise<string> {
  const metrics = await Metrics.open({ stream: 'S', group: 'g', member: 'a' });
  const subject = new Member();
  metrics.attach(subject);
  metrics.timed(() => {})();
  subject.emit('committed', { tookMs: 3 });
  return metrics.text();
}

async function ofExporter(): Promise<string> {
  const known = new KnownGroups(60_000, ['later']);
  const partitions = [
    lease(0, { lag: 30, oldestMs: 5_000, ratePerSecond: 10, holdUp: HELD, state: 'retrying' }),
    lease(1, { paused: true, pausedBy: 'ann@host', pausedMs: 60_000 }),
  ];
  const found = {
    ...{ group: 'g', key: null, filter: null },
    status: { partitions, members: [member('A')] },
    findings: [
      { kind: 'paused', severity: 'warning', partition: 1, member: 'a', message: 'paused' } as const,
    ],
  };
  const moving = { partitions: [lease(0, { lag: 30, ratePerSecond: 10 })], members: [member('A')] };
  const groups = [
    { group: 'g', found },
    { group: 'moving', found: { ...found, group: 'moving', status: moving, findings: [] } },
  ];
  known.replace(groups, 0);
  known.replace(groups, 10_000);
  const facts = { groups: known.all, disconnects: 2, failures: 1, tookMs: 40, now: () => 13_000 };
  return (await exporterMetrics('S', facts)).text();
}

/** The metrics in a text that have at least one value. */
function namesIn(text: string): Set<string> {
  const types = [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)];
  const values = new Set([...text.matchAll(/^(\w+)(?:\{| )/gm)].map(([, name = '']) => name));
  return new Set(
    types.flatMap(([, name = '', type]) =>
      values.has(type === 'histogram' ? `${name}_count` : name) ? [name] : [],
    ),
  );
}

const definedFor = (source: 'member' | 'exporter'): Set<string> =>
  new Set(
    Object.entries<MetricDefinition>(METRICS)
      .filter(([, { from }]) => from === source || from === 'both')
      .map(([name]) => name),
  );

describe('the metrics', () => {
  it('the metrics of a member are the metrics that are defined, each with a value', async () => {
    assert.deepEqual(namesIn(await ofMember()), definedFor('member'));
  });

  it('the metrics of the exporter are the metrics that are defined, each with a value', async () => {
    const text = await ofExporter();
    assert.deepEqual(namesIn(text), definedFor('exporter'));
    const drains = [...text.matchAll(/^natspoc_group_drain_seconds\{group="(\w+)".*\} (\d+)$/gm)];
    assert.deepEqual(
      drains.map(([, group, seconds]) => [group, seconds]),
      [['moving', '3']],
      'a group has no time to drain while a partition makes no progress',
    );
  });

  it('the metrics of a member give the age of waiting messages, and the time to drain them', async () => {
    const text = await ofMember();
    const of = (name: string): string | undefined =>
      new RegExp(`^${name}\\{partition="0",.*\\} (.*)$`, 'm').exec(text)?.[1];
    const age = Number(of('natspoc_oldest_message_age_seconds'));
    assert.ok(age >= 60 && age < 90, String(age));
    assert.equal(of('natspoc_drain_seconds'), '3');
    assert.match(text, /^natspoc_oldest_message_age_seconds\{partition="1",.*\} 0$/m);
  });

  it('the metrics of the exporter name the group and its state, and give the age of the data', async () => {
    const lines = (await ofExporter()).split('\n');
    for (const line of [
      'natspoc_group_state{group="g",state="running",stream="S"} 1',
      'natspoc_group_state{group="later",state="missing",stream="S"} 1',
      'natspoc_group_suggested_members{group="later",stream="S"} 1',
      'natspoc_group_data_age_seconds{group="g",stream="S"} 3',
      'natspoc_group_problems{group="g",kind="paused",severity="warning",stream="S"} 1',
      'natspoc_partition_held_up_seconds{group="g",partition="0",why="retrying",stream="S"} 12',
    ])
      assert.ok(lines.includes(line), line);
    assert.ok(!lines.some((line) => line.startsWith('natspoc_group_lag_messages{group="later"')));
  });
});

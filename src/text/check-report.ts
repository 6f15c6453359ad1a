import type { Finding } from '../core/admin/finding.js';
import { type GroupStatus, totalsOf } from '../core/admin/group-status.js';
import type { NatspocError } from '../core/lib/errors.js';
import { escapeControl } from '../core/lib/text.js';
import { partitionList } from './partition-list.js';

const NAGIOS = { ok: 0, warning: 1, critical: 2 } as const;
const NAGIOS_UNKNOWN = 3;

const worst = (findings: readonly Finding[]): keyof typeof NAGIOS =>
  findings.some(({ severity }) => severity === 'critical')
    ? 'critical'
    : findings.length > 0
      ? 'warning'
      : 'ok';

const ABOUT_PARTITION = /^p\d+(?= of |: | has )/;

/** Findings for people. Equal findings about several partitions are merged: `p0-p7 have no owner`. */
export function findingTexts(findings: readonly Finding[]): Pick<Finding, 'severity' | 'message'>[] {
  const alike = new Map<string, { first: Finding; partitions: number[] }>();
  for (const finding of findings) {
    const { severity, message, partition } = finding;
    const key = `${severity} ${partition === null ? message : message.replace(ABOUT_PARTITION, '')}`;
    const same = alike.get(key);
    if (same && partition !== null) same.partitions.push(partition);
    else alike.set(key, { first: finding, partitions: partition === null ? [] : [partition] });
  }
  return [...alike.values()].map(({ first: { severity, message }, partitions }) => {
    if (partitions.length < 2) return { severity, message };
    const which = partitionList(partitions);
    return {
      severity,
      message: message.replace(/^p\d+ has /, `${which} have `).replace(ABOUT_PARTITION, which),
    };
  });
}

/** The exit code of a monitoring plugin: 0 ok, 1 warning, 2 critical. */
export const nagiosExitCode = (findings: readonly Finding[]): number => NAGIOS[worst(findings)];

/** The line and exit code if the check could not be made. A missing group is critical. */
export function unknownToNagios({ message, code }: NatspocError): { line: string; exitCode: number } {
  const isCritical = code === 'group-missing';
  const text = message.split('\n').map(escapeControl).join(' ').replaceAll('|', '/');
  return {
    line: `NATSPOC ${isCritical ? 'CRITICAL' : 'UNKNOWN'} - ${text}`,
    exitCode: isCritical ? NAGIOS.critical : NAGIOS_UNKNOWN,
  };
}

/** One line of a monitoring plugin: verdict, reasons, and performance data after the bar. */
export function formatNagios(group: string, status: GroupStatus, findings: readonly Finding[]): string {
  const { partitions, owned, members, lag } = totalsOf(status);
  const reasons =
    findingTexts(findings)
      .map(({ message }) => message)
      .join('; ') || 'healthy';
  const figures = [`members=${members}`, `owned=${owned};;;0;${partitions}`, `lag=${lag ?? 'U'}`];
  // A bar would end the text.
  return (
    `NATSPOC ${worst(findings).toUpperCase()} - ${group}: ${reasons}`.replaceAll('|', '/') +
    ` | ${figures.join(' ')}`
  );
}

/** Notes about pins to members that are not in the group. Such pins have no effect. */
export function absentPinNotes({
  partitions,
  members,
}: Pick<GroupStatus, 'partitions' | 'members'>): string[] {
  const present = new Set(members.flatMap(({ name, session }) => [name, session]));
  const pinned = new Map<string, number[]>();
  for (const { partition, pin } of partitions)
    if (pin !== null && !present.has(pin)) pinned.set(pin, [...(pinned.get(pin) ?? []), partition]);
  return [...pinned].map(([pin, each]) => {
    const list = partitionList(each);
    const verb = each.length === 1 ? 'is' : 'are';
    return `${list} ${verb} pinned to ${pin}, which is not a member: any member may own ${each.length === 1 ? 'it' : 'them'}; "leases unpin" removes the pin`;
  });
}

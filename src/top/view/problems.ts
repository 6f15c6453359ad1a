import { checkGroup } from '../../core/admin/check.js';
import type { Finding } from '../../core/admin/finding.js';
import { reportedStalls } from '../../core/admin/stalled.js';
import { findingTexts } from '../../text/check-report.js';
import { type Health, problemsOf } from '../model/health.js';
import type { Model } from '../model/model.js';
import { statusOf } from '../model/select.js';
import { withFlags } from '../screen/hints.js';
import type { Ui } from '../screen/state.js';
import type { Size } from './layout.js';
import { type Color, type Line, line, span, wrap, wrappedLines } from './text.js';

/** How each level of health is drawn. */
export const LEVELS: Record<Health['level'], { sign: string; color: Color }> = {
  ok: { sign: '●', color: 'green' },
  warning: { sign: '▲', color: 'yellow' },
  bad: { sign: '✖', color: 'red' },
};

/** The screen shows one further problem per eight lines, but at least one. */
const ROWS_A_PROBLEM = 8;

/** The problems except the first, one per line. The header shows the first. */
export function furtherProblems(model: Model, { rows }: Size): Line[] {
  const [, ...others] = problemsOf(model);
  const shown = others.slice(0, Math.max(1, Math.floor(rows / ROWS_A_PROBLEM)));
  const more = others.length - shown.length;
  return shown.map(({ level, text }, i) => {
    const { sign, color } = LEVELS[level];
    const isLast = i === shown.length - 1 && more > 0;
    return [
      span(isLast ? `(+${more} more: !) ` : '', { dim: true }),
      span(`${sign} ${text}`, { color, bold: true }),
    ];
  });
}

/** All problems, and below them the causes and remedies of "leases check". Lines without room are cut off. */
export function allProblems(model: Model, { hints }: Pick<Ui, 'hints'>, { columns, rows }: Size): Line[] {
  const problems = problemsOf(model);
  const status = statusOf(model);
  const isCurrent = model.ready && model.connection.state === 'connected';
  const findings = isCurrent
    ? checkGroup(status, { maxLag: undefined, stalled: reportedStalls(status) })
    : [];
  if (problems.length === 0 && findings.length === 0) return [line('No problems.', { dim: true })];
  const found = problems.flatMap(({ level, text }) => {
    const { sign, color } = LEVELS[level];
    return wrappedLines(`${sign} ${withFlags(text, model, hints)}`, columns, { color });
  });
  const causes = findingTexts(findings.sort((a, b) => urgency(a) - urgency(b))).flatMap(({ message }) =>
    wrap(withFlags(message, model, hints), columns - INDENT.length).map((part) => line(`${INDENT}${part}`)),
  );
  return [...found, ...causes].slice(0, rows);
}

/** The order of findings: the most urgent first, pauses last. */
const urgency = ({ kind, severity }: Finding): number =>
  severity === 'critical' ? 0 : kind === 'paused' ? 2 : 1;

const INDENT = '  ';

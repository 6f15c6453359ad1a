import type { HeldUpOutcome } from '../core/admin/held-up.js';
import { escapeControl } from '../core/lib/text.js';

/** One line for people: `p4: tried again now by worker-2`. */
export function describeHeldUpOutcome({ partition, outcome, owner, message }: HeldUpOutcome): string {
  const why = escapeControl(message ?? '');
  const name = escapeControl(owner ?? '');
  switch (outcome) {
    case 'retried':
      return `p${partition}: ${name} tries again now`;
    case 'skipped':
      return `p${partition}: ${name} has skipped the message`;
    case 'dead-letter':
      return `p${partition}: ${name} has stored the message as a dead letter`;
    case 'unchanged':
      return message === null ? `p${partition}: nothing holds it up` : `p${partition}: ${why}`;
    case 'failed':
      return `p${partition}: ${why}`;
  }
}

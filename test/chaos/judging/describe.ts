import type { Call, FaultSpan } from '../recording/history.js';

/** A time since the start of the run: `3:07.250`. */
export function describeTime(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  return `${minutes}:${((ms - minutes * 60_000) / 1_000).toFixed(3).padStart(6, '0')}`;
}

/** Describes a call in a few words. */
export function describeCall({ process, partition, seq, epoch, attempt }: Call): string {
  const again = attempt > 1 ? `, attempt ${attempt}` : '';
  return `${process} handling p${partition} #${seq} at epoch ${epoch}${again}`;
}

/** Describes a call with its times and how it ended. */
export function describeCallFully(call: Call): string {
  const told = call.toldAt === undefined ? '' : `, signal aborted at ${describeTime(call.toldAt)}`;
  const to = Number.isFinite(call.to) ? describeTime(call.to) : 'the end';
  return `${describeTime(call.from)} to ${to} ${describeCall(call)}: ${call.how}${told}${call.deaf ? ' (deaf)' : ''}`;
}

/** A fault with its times. */
export function describeFault({ from, to, kind, target, outcome }: FaultSpan): string {
  return `${describeTime(from)} to ${describeTime(to)} ${kind} ${target}: ${outcome}`;
}

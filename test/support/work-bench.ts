import assert from 'node:assert/strict';
import type { FailurePolicy } from '../../src/core/config/retry.js';
import type { Handler, InBatches } from '../../src/core/member/partition/handler.js';
import { SILENT } from '../../src/core/member/partition/logger.js';
import { Permit } from '../../src/core/member/partition/permit.js';
import { TimeSlice } from '../../src/core/member/partition/time-slice.js';
import { PartitionWork } from '../../src/core/member/partition/work.js';
import type { Halt, WorkPorts, WorkSettings } from '../../src/core/member/partition/work-contract.js';
import type { HoldUp } from '../../src/core/protocol/hold-up.js';
import { fakeMessage } from './fake-partition.js';
import { ManualClock } from './manual-clock.js';

/** A message gets one attempt. If it fails, its partition halts. */
export const FAILURE: FailurePolicy = {
  maxAttempts: 1,
  backoff: { baseMs: 100, maxMs: 1_000 },
  onExhausted: 'halt',
};

/** The work of one partition. Records everything that it reports. */
export class WorkBench {
  readonly clock = new ManualClock();
  readonly permit = new Permit(this.clock);
  readonly log: string[] = [];
  readonly halts: (Exclude<Halt, { kind: 'halted' }> | { kind: 'halted'; message: string })[] = [];
  held: HoldUp | undefined;
  position = 0;
  readonly work: PartitionWork;

  constructor(
    handler: Handler | InBatches,
    settings: Partial<WorkSettings> = {},
    ports: Partial<WorkPorts> = {},
  ) {
    this.permit.extendTo(1_000_000);
    this.work = new PartitionWork(
      { partition: 3, epoch: 41, logger: SILENT },
      { failure: FAILURE, ...settings },
      {
        events: {
          handled: ({ sequence }) => this.log.push(`handled ${sequence}`),
          attemptFailed: ({ sequence }, attempt, error, then) =>
            this.log.push(`failed ${sequence} #${attempt} ${String(error)} ${then}`),
        },
        handler,
        permit: this.permit,
        slice: new TimeSlice(this.clock),
        clock: this.clock,
        random: () => 1,
        ...ports,
      },
      {
        advanced: ({ sequence }) => {
          assert.ok(sequence > this.position, 'positions grow');
          this.position = sequence;
        },
        starving: () => {},
        halting: (halt) => {
          if (halt.kind === 'stopped') this.halts.push(halt);
          else {
            this.halts.push({ kind: halt.kind, message: halt.message });
            this.held = halt.held;
          }
        },
      },
    );
  }

  accept(...sequences: number[]): void {
    for (const sequence of sequences) this.work.accept(fakeMessage(sequence));
  }

  keyed(...messages: [sequence: number, key: string][]): void {
    for (const [sequence, key] of messages) this.work.accept(fakeMessage(sequence, key));
  }
}

import type {
  Effect,
  GroupEvent,
  LeaseEntry,
  SessionEntry,
  ViewEntry,
  Written,
} from '../../src/core/protocol/events.js';
import { initialState } from '../../src/core/protocol/initial-state.js';
import type { GroupLayoutRecord } from '../../src/core/protocol/layout-records.js';
import { RECORD_VERSION } from '../../src/core/protocol/record-format.js';
import type { LeaseRecord, SessionRecord } from '../../src/core/protocol/records.js';
import type { State } from '../../src/core/protocol/state.js';
import { step } from '../../src/core/protocol/step.js';
import { type Timing, timingFor } from '../../src/core/protocol/timing.js';

type WithoutNow<T> = T extends unknown ? Omit<T, 'now'> : never;

/** Drives the protocol of one member event by event, on a clock that the test moves. */
export class GroupDriver {
  readonly timing: Timing = timingFor(10_000, 400);
  now = 1_000;
  #state: State;
  #effects: Effect[] = [];

  constructor(partitions = 4, layout?: { record: GroupLayoutRecord; revision: number }) {
    this.#state = initialState({ group: 'g', name: 'me', partitions, layout, timing: this.timing, seed: 1 });
  }

  send(event: WithoutNow<GroupEvent>): Effect[] {
    this.#effects = step(this.#state, { ...event, now: this.now });
    return this.#effects;
  }

  wait(forMs: number): Effect[] {
    this.now += forMs;
    return this.send({ type: 'tick' });
  }

  last<T extends Effect['type']>(type: T): Extract<Effect, { type: T }>[] {
    return this.#effects.filter((effect): effect is Extract<Effect, { type: T }> => effect.type === type);
  }

  /** Joins as ME with a session at revision 10, after a snapshot of the other entries. Returns when the join has settled. */
  join(entries: ViewEntry[] = []): Effect[] {
    this.send({ type: 'connected' });
    this.send({ type: 'identified', id: 'ME' });
    this.send({ type: 'snapshot', entries });
    this.renewed(this.now, { kind: 'ok', revision: 9 });
    this.send({ type: 'session-written', id: 'ME', outcome: { kind: 'ok', revision: 10 } });
    return this.wait(this.timing.settleMs);
  }

  /** Reports this outcome of the renewal that was sent at `sentAt`. */
  renewed(sentAt: number, outcome: Written): Effect[] {
    return this.send({ type: 'proof-written', id: this.id ?? '', sentAt, outcome });
  }

  found(id: string, revision: number, ended = false): Effect[] {
    return this.send({ type: 'proof-read', id, outcome: { kind: 'ok', revision, ended } });
  }

  get id(): string | null {
    return this.#state.session.id;
  }

  /** Handlers may start until this time. */
  get permit(): number {
    return this.#state.permit;
  }
}

/** Another member's session. Its name is its id in lower case. */
export function session(id: string, revision: number, fields: Partial<SessionRecord> = {}): SessionEntry {
  const record: SessionRecord = {
    v: RECORD_VERSION,
    id,
    name: id.toLowerCase(),
    host: 'h',
    pid: 1,
    version: '0.0.0',
    startedAt: '',
    ttlMs: 10_000,
    suspectMs: 800,
    ...fields,
  };
  return { kind: 'session', id, revision, record };
}

/** A session that was deleted. */
export const gone = (id: string, revision: number): ViewEntry => ({
  kind: 'session',
  id,
  revision,
  record: null,
});

export function lease(partition: number, revision: number, owner: string | null): LeaseEntry {
  return { kind: 'lease', partition, revision, record: leaseRecord(owner) };
}

export const leaseRecord = (owner: string | null): LeaseRecord => ({
  v: RECORD_VERSION,
  owner,
  name: owner?.toLowerCase() ?? '',
  reason: 'claim',
  from: null,
  at: '',
});

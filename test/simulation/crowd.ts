import type { Effect, GroupEvent, ViewEntry, Written } from '../../src/core/protocol/events.js';
import { initialState } from '../../src/core/protocol/initial-state.js';
import { RECORD_VERSION } from '../../src/core/protocol/record-format.js';
import type { State } from '../../src/core/protocol/state.js';
import { step } from '../../src/core/protocol/step.js';
import type { Timing } from '../../src/core/protocol/timing.js';
import { Timeline } from '../../src/core/testing/timeline.js';
import type { Random } from './model/random.js';

type WithoutNow<T> = T extends unknown ? Omit<T, 'now'> : never;
type Event = WithoutNow<GroupEvent>;

/** The latency between a member and the server. `BATCH_MS` is the interval at which a busy socket delivers updates. */
const ONE_WAY_MS = 1;
const BATCH_MS = 100;

/** The settings of a crowd. */
export interface CrowdSettings {
  members: number;
  partitions: number;
  timing: Timing;
}

interface Person {
  id: string;
  state: State;
  alive: boolean;
  wakeAt: number;
}

/**
 * Simulates only the protocol, so it can have very many members. Each member calls `step`. The bucket holds decoded entries. Partitions
 * start and drain at once. The group starts at rest.
 */
export class Crowd {
  readonly timeline = new Timeline();
  /** The first violation: a member was fenced although it could still have started a handler. */
  violation: string | undefined;
  readonly #random: Random;
  readonly #settings: CrowdSettings;
  readonly #people = new Map<string, Person>();
  readonly #entries = new Map<string, ViewEntry>();
  readonly #proofs = new Map<string, { revision: number; ended: boolean }>();
  #revision = 0;
  #changes: ViewEntry[] = [];

  constructor(settings: CrowdSettings, random: Random) {
    this.#settings = settings;
    this.#random = random;
    const ids = Array.from({ length: settings.members }, () => `S${random.seed().toString(36)}`);
    for (const id of ids) this.#store(sessionOf(id, ++this.#revision, settings.timing));
    for (let partition = 0; partition < settings.partitions; partition++) {
      const owner = ids[partition % ids.length] ?? null;
      this.#store(leaseOf(partition, ++this.#revision, owner));
    }
    this.#changes = [];
    for (const id of ids) this.#enter(id);
  }

  get survivors(): Person[] {
    return [...this.#people.values()].filter(({ alive }) => alive);
  }

  run(forMs: number, until: () => boolean = () => false): boolean {
    const end = this.timeline.now + forMs;
    let isOver = false;
    this.timeline.at(end, () => {
      isOver = true;
    });
    for (let next = this.timeline.next(); next && !isOver; next = this.timeline.next()) {
      next();
      if (until()) return true;
    }
    return until();
  }

  /** Kills this many members at once, and closes their connections. */
  kill(count: number): void {
    for (const person of this.survivors.slice(0, count)) person.alive = false;
  }

  /** The reason why the group is not at rest. Undefined if it is at rest. */
  unrest(): string | undefined {
    const loads = new Map(this.survivors.map(({ id }) => [id, 0]));
    for (const entry of this.#entries.values()) {
      if (entry.kind === 'session' && entry.record && !loads.has(entry.id))
        return `${entry.id} has died, but is not fenced`;
      if (entry.kind !== 'lease' || !entry.record || entry.record === 'unreadable') continue;
      const owner = entry.record.owner ?? '';
      const load = loads.get(owner);
      if (load === undefined) return `p${entry.partition} has no live owner, but "${owner}"`;
      loads.set(owner, load + 1);
      const own = this.#people.get(owner)?.state.own.get(entry.partition);
      if (own?.epoch !== entry.revision || own.phase !== 'running') return `p${entry.partition} is stopped`;
    }
    const counts = [...loads.values()];
    return Math.max(...counts) - Math.min(...counts) > 1 ? 'unequal loads' : undefined;
  }

  #enter(id: string): void {
    const { partitions, timing } = this.#settings;
    const seed = this.#random.seed();
    const state = initialState({ group: 'g', name: id, partitions, timing, seed });
    this.#people.set(id, { id, state, alive: true, wakeAt: Number.POSITIVE_INFINITY });
    this.timeline.after(this.#random.between(0, 1_000), () => {
      this.#feed(id, { type: 'connected' });
      this.#feed(id, { type: 'identified', id });
      this.#feed(id, { type: 'snapshot', entries: [...this.#entries.values()] });
    });
  }

  #feed(id: string, event: Event): void {
    const person = this.#people.get(id);
    if (!person?.alive) return;
    for (const effect of step(person.state, { ...event, now: this.timeline.now }))
      this.#perform(person, effect);
  }

  #ask(person: Person, atServer: () => Event): void {
    this.timeline.after(ONE_WAY_MS, () => {
      const answer = atServer();
      this.timeline.after(ONE_WAY_MS, () => this.#feed(person.id, answer));
    });
  }

  #perform(person: Person, effect: Effect): void {
    switch (effect.type) {
      case 'wake-at':
        this.#wake(person, effect.at);
        break;
      case 'probe': {
        const { id } = effect;
        this.#ask(person, () => ({
          type: 'probed',
          id,
          outcome: this.#people.get(id)?.alive ? 'alive' : 'no-responders',
        }));
        break;
      }
      case 'write-proof': {
        const { id, expected } = effect;
        const sentAt = this.timeline.now;
        this.#ask(person, () => ({
          type: 'proof-written',
          id,
          sentAt,
          outcome: this.#writeProof(id, expected, false),
        }));
        break;
      }
      case 'read-proof': {
        const { id } = effect;
        this.#ask(person, () => {
          const { revision, ended } = this.#proofs.get(id) ?? { revision: 0, ended: false };
          return { type: 'proof-read', id, outcome: { kind: 'ok', revision, ended } };
        });
        break;
      }
      case 'end-proof': {
        const { id, expected } = effect;
        this.#ask(person, () => ({ type: 'proof-ended', id, outcome: this.#writeProof(id, expected, true) }));
        break;
      }
      case 'fence-session': {
        const { id, expected } = effect;
        this.#ask(person, () => ({ type: 'session-fenced', id, outcome: this.#fence(id, expected) }));
        break;
      }
      case 'write-lease': {
        const { partition, expected } = effect;
        const record = { ...effect.record, at: '' };
        this.#ask(person, () => ({
          type: 'lease-written',
          partition,
          expected,
          record,
          outcome: this.#write({ kind: 'lease', partition, revision: 0, record }, expected),
        }));
        break;
      }
      case 'start-partition':
      case 'drain-partition': {
        const { partition, epoch } = effect;
        const type = effect.type === 'start-partition' ? 'partition-started' : 'partition-drained';
        this.timeline.after(ONE_WAY_MS, () => this.#feed(person.id, { type, partition, epoch }));
        break;
      }
      default:
    }
  }

  #wake(person: Person, at: number): void {
    if (at === person.wakeAt) return;
    person.wakeAt = at;
    this.timeline.at(at, () => {
      if (person.wakeAt !== at) return;
      person.wakeAt = Number.POSITIVE_INFINITY;
      this.#feed(person.id, { type: 'tick' });
    });
  }

  #writeProof(id: string, expected: number, ended: boolean): Written {
    if ((this.#proofs.get(id)?.revision ?? 0) !== expected) return { kind: 'conflict' };
    this.#proofs.set(id, { revision: ++this.#revision, ended });
    return { kind: 'ok', revision: this.#revision };
  }

  #fence(id: string, expected: number): Written {
    const fenced = this.#people.get(id);
    if (fenced && fenced.state.permit > this.timeline.now)
      this.violation ??= `${id} is fenced, but may start handlers`;
    return this.#write({ kind: 'session', id, revision: 0, record: null }, expected);
  }

  #write(entry: ViewEntry, expected: number): Written {
    if ((this.#entries.get(keyOf(entry))?.revision ?? 0) !== expected) return { kind: 'conflict' };
    const revision = ++this.#revision;
    this.#store({ ...entry, revision });
    return { kind: 'ok', revision };
  }

  /** Shows a change to all members, together with other changes of about the same time. */
  #store(entry: ViewEntry): void {
    this.#entries.set(keyOf(entry), entry);
    this.#changes.push(entry);
    if (this.#changes.length > 1) return;
    this.timeline.after(BATCH_MS, () => {
      const entries = this.#changes;
      this.#changes = [];
      for (const { id } of this.survivors) this.#feed(id, { type: 'changes', entries });
    });
  }
}

function keyOf(entry: ViewEntry): string {
  if (entry.kind === 'layout') return entry.kind;
  return `${entry.kind} ${entry.kind === 'session' ? entry.id : entry.partition}`;
}

function sessionOf(id: string, revision: number, { ttlMs, suspectMs }: Timing): ViewEntry {
  const who = { v: RECORD_VERSION, id, name: id, host: 'h', pid: 1, version: '0.0.0', startedAt: '' };
  return { kind: 'session', id, revision, record: { ...who, ttlMs, suspectMs } };
}

function leaseOf(partition: number, revision: number, owner: string | null): ViewEntry {
  const record = { v: RECORD_VERSION, owner, name: '', reason: 'claim', from: null, at: '' } as const;
  return { kind: 'lease', partition, revision, record };
}

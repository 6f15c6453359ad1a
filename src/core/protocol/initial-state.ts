import type { GroupLayoutRecord } from './layout-records.js';
import type { OwnSession, State } from './state.js';
import type { Timing } from './timing.js';

const freshSession = (): OwnSession => ({
  id: null,
  revision: 0,
  proof: {
    revision: 0,
    certainAt: Number.NEGATIVE_INFINITY,
    deadline: Number.NEGATIVE_INFINITY,
    renewAt: Number.NEGATIVE_INFINITY,
    writing: null,
    unknownSince: null,
    reading: false,
  },
  writing: false,
  writeAt: Number.NEGATIVE_INFINITY,
  inDoubt: false,
  reading: false,
  marked: false,
  removing: false,
  expired: false,
});

/** The identity of a member before it has joined. `seed` determines the member's random jitter. */
export interface Identity {
  group: string;
  name: string;
  partitions: number;
  /** The layout of a keyed group, and the revision of its entry; absent for the stream's own layout. */
  layout?: { record: GroupLayoutRecord; revision: number } | undefined;
  timing: Timing;
  seed: number;
}

/** The state of a member that has not joined and is not connected. */
export function initialState({ group, name, partitions, layout, timing, seed }: Identity): State {
  return {
    group,
    partitions,
    layout: {
      epoch: layout?.record.epoch ?? 0,
      revision: layout?.revision ?? 0,
      record: layout?.record ?? null,
      looking: false,
      writeAt: Number.NEGATIVE_INFINITY,
    },
    name,
    timing,
    now: Number.NEGATIVE_INFINITY,
    connected: false,
    connectedAt: Number.NEGATIVE_INFINITY,
    reconnected: false,
    viewReady: false,
    watchRevision: 0,
    identifying: false,
    leaving: false,
    rejoinWithinMs: 0,
    left: false,
    session: freshSession(),
    interrupted: false,
    permit: Number.NEGATIVE_INFINITY,
    peers: new Map(),
    leases: new Map(),
    overrides: new Map(),
    buried: new Map(),
    absent: new Set(),
    gone: new Set(),
    lookUps: new Map(),
    former: null,
    gaveUp: null,
    unseen: new Map(),
    own: new Map(),
    had: new Map(),
    reserved: new Map(),
    lost: new Map(),
    receded: new Map(),
    doubted: new Map(),
    lookedAt: { mine: -1, foreign: -1, override: -1, peer: '' },
    lookAt: Number.NEGATIVE_INFINITY,
    writes: new Map(),
    settleUntil: Number.NEGATIVE_INFINITY,
    holdUntil: Number.NEGATIVE_INFINITY,
    settleSince: Number.NEGATIVE_INFINITY,
    probing: timing.probeEveryMs > 0,
    ring: null,
    dirty: false,
    reconciledAt: Number.NEGATIVE_INFINITY,
    unsettled: false,
    wakeAt: Number.POSITIVE_INFINITY,
    random: seed >>> 0,
    out: [],
  };
}

/** Forgets the session. The next one gets a new identity. */
export function resetSession(state: State): void {
  state.session = freshSession();
  state.identifying = false;
}

import type { Target, TopEvent } from './events.js';
import { applyChanges, applyHistory, applyProofs, applySnapshot } from './group.js';
import { initialModel, keptUpdates, type Model } from './model.js';
import {
  applyEnds,
  applyLook,
  applyMessages,
  applyPositions,
  applyReaders,
  applyStats,
  applyStream,
  applyWaiting,
} from './progress.js';

/** The model before anything was seen of its stream and group. */
const anew = ({ now, target, connection }: Model): Model => ({ ...initialModel(now), target, connection });

/** The model for a target. For another stream or group, only the connection is kept. */
function targeted(model: Model, target: Target): Model {
  const before = model.target;
  const isSame = !before || (before.stream === target.stream && before.group === target.group);
  const next = { ...model, target };
  return isSame ? next : anew(next);
}

/** The model after an event. A pure function: the time comes from the event. */
export function reduce(before: Model, event: TopEvent): Model {
  const now = Math.max(before.now, event.at);
  const model: Model = { ...before, now };
  const { connection } = model;
  switch (event.type) {
    case 'target':
      return targeted(model, event.target);
    case 'connected': {
      const { server, version } = event;
      const fresh = { state: 'connected', since: now, attempts: 0, server, version } as const;
      const isBack = connection.state === 'disconnected';
      const back = { at: now, event: 'reconnected', server, afterMs: now - connection.since } as const;
      const updates = keptUpdates(model.updates, isBack ? [back] : []);
      return { ...model, updates, connection: { ...connection, ...fresh } };
    }
    case 'disconnected':
      if (connection.state === 'disconnected') return model;
      return {
        ...model,
        updates: keptUpdates(model.updates, [{ at: now, event: 'disconnected', server: connection.server }]),
        connection: { ...connection, state: 'disconnected', since: now, attempts: 0 },
      };
    case 'reconnecting':
      return { ...model, connection: { ...connection, attempts: connection.attempts + 1 } };
    case 'round-trip':
      return { ...model, connection: { ...connection, roundTripMs: event.ms } };
    case 'missing':
      // The sequences and revisions of the next stream or bucket start again.
      return { ...anew(model), missing: event.message };
    case 'problem': {
      const problems = new Map(model.problems);
      if (event.message === null) problems.delete(event.what);
      else problems.set(event.what, event.message);
      return { ...model, problems };
    }
    case 'found': {
      const { partitions, prefix } = event;
      return { ...model, missing: null, layout: { partitions, prefix } };
    }
    case 'history':
      return applyHistory(model, event.entries);
    case 'snapshot':
      return applySnapshot(model, event.entries);
    case 'changes':
      return applyChanges(model, event.entries);
    case 'proofs':
      return applyProofs(model, event.proofs);
    case 'stream':
      return applyStream(model, event.facts);
    case 'dead-letters':
      return { ...model, deadLetters: event.facts };
    case 'positions':
      return applyPositions(model, event.positions);
    case 'ends':
      return applyEnds(model, event.ends);
    case 'readers':
      return applyReaders(model, event.readers);
    case 'waiting':
      return applyWaiting(model, event.waiting);
    case 'job':
      return { ...model, job: event.job };
    case 'stats':
      return applyStats(model, event.facts);
    case 'messages':
      return applyMessages(model, event.messages);
    case 'looked':
      return applyLook(model);
    case 'tick':
      return model;
  }
}

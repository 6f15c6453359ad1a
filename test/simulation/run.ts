import type { Violation } from './checks/judge.js';
import { Random } from './model/random.js';
import { play, settingsFor } from './scenario.js';
import { World, type WorldSettings } from './world.js';

/** This many turns of the event loop are requested at a time. */
const TURNS = 128;
/** A run with this many events would probably never end. */
const MOST_EVENTS = 20_000_000;

/** Options of a run. */
export interface RunOptions {
  members?: number | undefined;
  partitions?: number | undefined;
  /** The faults that a storm draws most often. Default: all. */
  faults?: readonly string[] | undefined;
  trace?: ((line: string) => void) | undefined;
}

/** The result of a run. */
export interface RunResult {
  seed: number;
  violation: Violation | undefined;
  /** The duration of the run, in milliseconds of true time. */
  simulatedMs: number;
  events: number;
  handled: number;
}

/** Runs one seed. The same seed and options give the same result. */
export async function runSeed(seed: number, options: RunOptions = {}): Promise<RunResult> {
  const random = new Random(seed);
  const settings = settingsFor(random, options);
  return runWorld(seed, settings, play, options.trace);
}

/** Runs a scenario in a new world. */
export async function runWorld(
  seed: number,
  settings: WorldSettings,
  scenario: (world: World) => Promise<void>,
  trace?: (line: string) => void,
): Promise<RunResult> {
  const world = new World(settings, new Random(seed + 1), trace);
  world.judge.note(`seed ${seed}: ${JSON.stringify(settings)}`);
  const events = await drive(world, scenario(world));
  const { violation } = world.judge;
  return {
    seed,
    violation,
    simulatedMs: world.timeline.now,
    events,
    handled: world.handling.calls,
  };
}

/**
 * Runs one event per turn of the event loop, until the scenario ends or an invariant is violated. Between two turns all resolved promises
 * are processed, as in a real process. Turns are requested in batches, because that is cheap.
 */
function drive(world: World, scenario: Promise<void>): Promise<number> {
  return new Promise((resolve) => {
    let events = 0;
    let over = false;
    const end = (): void => {
      over = true;
    };
    const broke = (error: unknown): void =>
      world.judge.violate('ended', error instanceof Error ? (error.stack ?? error.message) : String(error));
    // In a real member, an exception in a promise's callback would end the process.
    process.on('uncaughtException', broke);
    scenario.then(end, (error: unknown) => {
      broke(error);
      end();
    });
    const turn = (): void => {
      if (over || world.judge.violation) return;
      try {
        const run = world.timeline.next();
        if (!run || ++events > MOST_EVENTS) {
          world.judge.violate('ended', run ? 'the run does not end' : 'no event is left');
        } else run();
      } catch (error) {
        broke(error);
      }
    };
    const batch = (): void => {
      if (over || world.judge.violation) {
        process.off('uncaughtException', broke);
        resolve(events);
        return;
      }
      for (let i = 0; i < TURNS; i++) setImmediate(turn);
      setImmediate(batch);
    };
    batch();
  });
}

import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FAULT_KINDS, type FaultKind } from './recording/records.js';
import type { StageOptions } from './stage/stage.js';

/** Options of the commands, in the form for `parseArgs`. */
export const OPTIONS = {
  minutes: { type: 'string' },
  seed: { type: 'string' },
  rate: { type: 'string' },
  servers: { type: 'string', default: '1' },
  partitions: { type: 'string', default: '8' },
  ttl: { type: 'string' },
  judge: { type: 'string' },
  keep: { type: 'boolean', default: false },
  report: { type: 'string' },
  faults: { type: 'string' },
  keyed: { type: 'boolean', default: false },
  resizes: { type: 'string' },
  own: { type: 'boolean', default: false },
} as const;

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Parses a number above 0. Ends the process if the text is anything else. */
export function positive(name: string, text: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  console.error(`--${name}: ${text} is not a number above 0`);
  process.exit(2);
}

/** The values of {@link OPTIONS}. The command has its own defaults. */
export interface Values {
  minutes: string;
  seed?: string | undefined;
  rate: string;
  servers: string;
  partitions: string;
  ttl: string;
  keyed: boolean;
  faults?: string | undefined;
  resizes?: string | undefined;
}

function faultKinds(text: string): FaultKind[] {
  const names = text.split(',');
  const unknown = names.find((name) => !FAULT_KINDS.some((kind) => kind === name));
  if (unknown === undefined) return FAULT_KINDS.filter((kind) => names.includes(kind));
  console.error(`--faults: ${unknown} is not one of ${FAULT_KINDS.join(', ')}`);
  process.exit(2);
}

/** Plays a run in a new folder. Ctrl-C ends the run early but cleanly. A second Ctrl-C ends it immediately. */
export async function playIn(
  name: string,
  values: Values,
  play: (options: StageOptions) => Promise<void>,
): Promise<{ folder: string; isStopped: boolean }> {
  const folder = mkdtempSync(join(tmpdir(), `natspoc-${name}-`));
  const seed =
    values.seed === undefined ? 1 + Math.floor(Math.random() * 1e9) : positive('seed', values.seed);
  const stop = new AbortController();
  const onSignal = (): void => {
    // The processes of the run end with this process.
    if (stop.signal.aborted) process.exit(1);
    stop.abort();
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  console.log(`seed ${seed}, records are in ${folder}`);
  const options: StageOptions = {
    seed,
    minutes: positive('minutes', values.minutes),
    rate: positive('rate', values.rate),
    servers: positive('servers', values.servers),
    partitions: positive('partitions', values.partitions),
    ttlMs: positive('ttl', values.ttl),
    keyed: values.keyed,
    faults: values.faults === undefined ? undefined : faultKinds(values.faults),
    folder,
    tell: (line) => console.log(line),
    signal: stop.signal,
  };
  await play(options).finally(() => {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  });
  return { folder, isStopped: stop.signal.aborted };
}

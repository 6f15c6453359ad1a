import { NatspocError } from '../lib/errors.js';
import { inWords } from '../lib/in-words.js';
import { layoutSubjects } from '../protocol/layout.js';
import type { LayoutRecord } from '../protocol/layout-records.js';
import type { DeadLetter } from '../protocol/message.js';
import { isFilter, RECORD_VERSION } from '../protocol/record-format.js';
import { KeyValues } from './key-values.js';
import type { LocalProcess } from './local-process.js';
import { MessageLog } from './message-log.js';

const PREFIX = 'events';
const DEFAULT_PARTITIONS = 4;
const MOST_PARTITIONS = 1_000;

/** The options of a local stream. */
export interface LocalStreamOptions {
  /**
   * Number of partitions of natspoc's own layout, 1 to 1,000.
   *
   * @default 4
   */
  partitions?: number | undefined;
  /**
   * Instead of `partitions`: the subjects of a stream without natspoc's layout, such as `['orders.>']`. Its groups need a `key`, and its
   * publishers need `ownSubjects`.
   *
   * @default none
   */
  subjects?: readonly string[] | undefined;
}

/** The state that all members and publishers of a local stream share. */
export interface LocalServer {
  /** The subjects that the stream listens to. */
  readonly subjects: readonly string[];
  /** Absent for a stream with its own subjects. */
  readonly layout: LayoutRecord | undefined;
  readonly values: KeyValues;
  readonly log: MessageLog;
  readonly dead: DeadLetter[];
  /** The process of each session id; null for a closed id. */
  readonly present: Map<string, LocalProcess | null>;
  /** When the stream was created, in milliseconds since 1970. */
  readonly createdMs: number;
}

/** @throws NatspocError `usage` for invalid options. */
export function localServer({ partitions, subjects, ...more }: LocalStreamOptions): LocalServer {
  const [unknown] = Object.keys(more);
  if (unknown !== undefined)
    throw new NatspocError('usage', `localStream has no option "${unknown}". Options: partitions, subjects.`);
  if (partitions !== undefined && subjects !== undefined)
    throw new NatspocError('usage', 'partitions and subjects exclude each other: leave one of them out.');
  const layout = subjects ? undefined : ownLayout(partitions ?? DEFAULT_PARTITIONS);
  return {
    subjects: layout ? [layoutSubjects(PREFIX).all] : checked(subjects),
    layout,
    values: new KeyValues(),
    log: new MessageLog(),
    dead: [],
    present: new Map(),
    createdMs: Date.now(),
  };
}

function ownLayout(partitions: number): LayoutRecord {
  if (Number.isInteger(partitions) && partitions >= 1 && partitions <= MOST_PARTITIONS)
    return { v: RECORD_VERSION, prefix: PREFIX, partitions, hash: 'fnv1a32' };
  throw new NatspocError('usage', `A local stream has 1 to 1,000 partitions, not ${inWords(partitions)}.`);
}

function checked(subjects: unknown): readonly string[] {
  if (Array.isArray(subjects) && subjects.length > 0 && subjects.every(isFilter)) return [...subjects];
  throw new NatspocError(
    'usage',
    `subjects: ${inWords(subjects)} is not a list of subjects, such as ['orders.>'].`,
  );
}

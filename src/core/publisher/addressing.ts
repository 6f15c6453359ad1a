import { NatspocError } from '../lib/errors.js';
import { inWords } from '../lib/in-words.js';
import { fnv1a32, type Layout, partitionSubject } from '../protocol/layout.js';
import { fitsIn, longSubject, MAX_SUBJECT_BYTES, subjectMatcher } from '../protocol/subject.js';
import { keyOf } from './outgoing.js';
import type { OutgoingMessage } from './types.js';

/** Decides where messages go: to a partition of the layout, or to the message's own subject. */
export interface Addressing {
  /** The number of partitions. Without a layout, it is the number of lanes: the messages of a lane stay in order. */
  readonly partitions: number;
  /**
   * The subject of a message, and its partition or lane.
   *
   * @throws NatspocError `usage` for a message that cannot be sent as requested.
   */
  of(message: OutgoingMessage, partition: number): { subject: string; partition: number };
}

/** The number of lanes for a stream without a layout. */
const LANES = 1_024;
/** The encoder would replace half of a surrogate pair, so that different subjects would become the same subject. */
const SUBJECT = /^[^\s.*>\p{Surrogate}]+(\.[^\s.*>\p{Surrogate}]+)*$/u;

const usage = (message: string): NatspocError => new NatspocError('usage', message);

/** Addresses messages to the partitions of natspoc's layout. */
export function layoutAddressing({ prefix, partitions }: Pick<Layout, 'prefix' | 'partitions'>): Addressing {
  const places = Array.from({ length: partitions }, (_, partition) => ({
    partition,
    subject: partitionSubject(prefix, partition),
  }));
  const none = { partition: 0, subject: '' };
  return {
    partitions,
    of({ subject }, partition) {
      if (subject === undefined) return places[partition] ?? none;
      throw usage(
        "subject: this stream has natspoc's layout, so the key decides the subject. A publisher with ownSubjects takes subjects.",
      );
    },
  };
}

/** Addresses messages to the subjects that the messages name, in a stream that listens to these patterns. */
export function ownAddressing(patterns: readonly string[]): Addressing {
  const matchers = patterns.map(subjectMatcher);
  return {
    partitions: LANES,
    of(message, lane) {
      const { subject, partition } = message;
      if (partition !== undefined)
        throw usage('partition: this stream has subjects of its own, and no partitions.');
      if (subject === undefined)
        throw usage('subject: this stream has subjects of its own, so each message must name its subject.');
      if (!fitsIn(MAX_SUBJECT_BYTES, subject)) throw usage(`${longSubject(subject)}. Shorten it.`);
      if (!SUBJECT.test(subject))
        throw usage(
          `subject: ${inWords(subject)} is not a subject: it needs tokens between dots, without spaces, * or >, and without halves of surrogate pairs.`,
        );
      if (!matchers.some((matches) => matches(subject)))
        throw usage(`subject: the stream does not listen to ${subject}, but to ${patterns.join(', ')}.`);
      // Without a key, the subject is the key, as in a keyed group.
      return { subject, partition: keyOf(message) === undefined ? fnv1a32(subject) % LANES : lane };
    },
  };
}

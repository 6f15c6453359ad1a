import { NatspocError } from '../../lib/errors.js';
import { inWords } from '../../lib/in-words.js';
import type { RedriveTarget } from '../../ports/dead-letters.js';
import type { StoredCopy } from '../../ports/keeping-stream.js';
import { REDRIVEN_HEADER } from '../../protocol/dead-letter.js';
import { partitionOfSubject, partitionSubject } from '../../protocol/layout.js';
import { fitsIn, longSubject, MAX_SUBJECT_BYTES, subjectMatcher } from '../../protocol/subject.js';
import { keptMessages } from '../jetstream/kept-messages.js';
import type { Topology } from './topology.js';

/** The stream to which dead letters are published again, on a real server. */
export function natsRedriveTarget(topology: Topology, timeoutMs: number): RedriveTarget {
  const kept = keptMessages(topology, topology.stream, timeoutMs);
  return {
    async store(place, { headers, data }, id) {
      const { keyed, layout, hasTokens } = topology;
      // Tokens after the partition belong to the message, so its subject is kept.
      const isOwn = hasTokens && partitionOfSubject(layout.prefix, place.subject) === place.partition;
      const subject = keyed || isOwn ? place.subject : partitionSubject(layout.prefix, place.partition);
      // Any client may have written the letter. So it must not choose a subject outside the stream.
      if (keyed && !keyed.subjects.some((pattern) => subjectMatcher(pattern)(subject))) {
        const message = `The stream does not listen to the letter's subject ${inWords(subject)}.`;
        return { kind: 'failed', error: new NatspocError('failed', message) };
      }
      if (!fitsIn(MAX_SUBJECT_BYTES, subject))
        return { kind: 'failed', error: new NatspocError('failed', `${longSubject(subject)}.`) };
      if (data.length <= kept.room(headers, id))
        return kept.store({ subject, headers, data }, id, isCopyOf({ subject, headers, data }));
      // A message that is too large with the redrive header is stored without it.
      const { [REDRIVEN_HEADER]: _times, ...bare } = headers;
      return kept.store({ subject, headers: bare, data }, undefined, () => false);
    },
  };
}

const isCopyOf =
  (sent: StoredCopy) =>
  (stored: StoredCopy): boolean =>
    stored.subject === sent.subject &&
    Buffer.compare(stored.data, sent.data) === 0 &&
    Object.entries(sent.headers).every(([name, value]) => stored.headers[name] === value);

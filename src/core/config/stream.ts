import { MAX_PARTITIONS } from '../protocol/record-format.js';
import { integer, nameUpTo, SHORT_ENOUGH, subject } from './parse.js';
import { define } from './setting.js';

/** The stream, and how a missing stream is created. */
export const STREAM = {
  stream: define({
    flag: 'stream',
    env: 'STREAM_NAME',
    fallback: 'EVENTS',
    // The server allows 255 characters for the bucket's stream, KV_STREAM_leases.
    ...nameUpTo(245),
    help: 'stream that holds the events',
  }),
  prefix: define({
    flag: 'prefix',
    env: 'SUBJECT_PREFIX',
    fallback: 'subject.events',
    parse: subject,
    allowed: `a subject without spaces or wildcards, ${SHORT_ENOUGH}, such as subject.events`,
    help: 'subject prefix; partition n is PREFIX.p.n',
  }),
  partitions: define({
    flag: 'partitions',
    env: 'PARTITIONS',
    fallback: '8',
    ...integer(1, MAX_PARTITIONS),
    help: 'partitions of a new stream, or of a new group with --key',
  }),
  bucket: define({
    flag: 'bucket',
    env: 'LEASE_BUCKET',
    ...nameUpTo(252),
    help: 'KV bucket of leases and positions (default STREAM_leases)',
  }),
  replicas: define({
    flag: 'replicas',
    env: 'REPLICAS',
    fallback: '1',
    ...integer(1, 5),
    help: 'replicas of a new stream and bucket',
  }),
} as const;

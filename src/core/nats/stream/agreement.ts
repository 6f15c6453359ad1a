import type { StreamInfo } from 'nats';
import type { Config } from '../../config/config.js';
import { NatspocError } from '../../lib/errors.js';
import type { LayoutRecord } from '../../protocol/layout-records.js';
import { RECORD_VERSION } from '../../protocol/record-format.js';
import type { StoredLayout } from './layout-entry.js';
import {
  checkDescription,
  checkSettings,
  checkSubjects,
  describedLayout,
  inWords,
  isSame,
  storesPartitions,
} from './stream-layout.js';

/** The existing stream and bucket, and the layout stored in the bucket. */
export interface Found {
  stream: StreamInfo | undefined;
  bucket: StreamInfo | undefined;
  stored: StoredLayout;
}

/** The layout of a stream, and whether the bucket already stores this layout. */
export interface Agreement {
  layout: LayoutRecord;
  isStored: boolean;
}

/** True if the bucket has no entry except a layout. */
const isUnused = (bucket: StreamInfo | undefined): boolean => (bucket?.state.num_subjects ?? 0) <= 1;

/**
 * True for a layout that a failed creation has left behind. It is not binding: no group has started in its bucket, and
 * no stream has this layout.
 */
function isLeftover(layout: LayoutRecord, { stream, bucket }: Found): boolean {
  if (!isUnused(bucket)) return false;
  return (
    stream === undefined || (!describedLayout(stream.config) && !storesPartitions(stream.config, layout))
  );
}

/**
 * Finds the layout on which settings, stream description and bucket agree. The bucket comes first, then the description,
 * then the settings. A given setting must agree with the existing layout.
 *
 * @param asItIs advice on how to use a stream that has no layout of natspoc; see {@link checkSubjects}.
 * @throws NatspocError `layout-mismatch` if settings, description and bucket disagree, or if the stream does not listen
 *   to the subjects of all partitions.
 */
export function agree(config: Config, found: Found, asItIs?: string): Agreement {
  const { stream, stored } = found;
  const described = stream && describedLayout(stream.config);
  if (described) checkSettings(config, described);
  const inBucket = stored.layout && !isLeftover(stored.layout, found) ? stored.layout : undefined;
  if (inBucket && described) checkDescription(config, inBucket, described);
  if (inBucket && !stream) checkOrphan(config, inBucket);
  if (inBucket) checkSettings(config, inBucket);
  const { prefix, partitions } = config;
  const layout = inBucket ?? described ?? { v: RECORD_VERSION, prefix, partitions, hash: 'fnv1a32' as const };
  // A mirror has no subjects. Another check reports that the stream is a mirror.
  if (stream && !stream.config.mirror)
    checkSubjects(config, layout, stream.config, inBucket || described ? undefined : asItIs);
  return { layout, isStored: stored.layout !== undefined && isSame(stored.layout, layout) };
}

/**
 * Checks the layout in a bucket without its stream. Under another layout, the groups' positions would belong to other
 * partitions.
 */
function checkOrphan(config: Config, layout: LayoutRecord): void {
  const same = { ...layout };
  if (config.given.has('prefix')) same.prefix = config.prefix;
  if (config.given.has('partitions')) same.partitions = config.partitions;
  if (isSame(same, layout)) return;
  throw new NatspocError(
    'layout-mismatch',
    `There is no stream ${config.stream}, but groups have positions for ${inWords(layout)} in bucket ${config.bucket}, not for ${inWords(same)}. ` +
      `"natspoc stream delete" removes the bucket; ${config.option('bucket')} selects another bucket.`,
  );
}

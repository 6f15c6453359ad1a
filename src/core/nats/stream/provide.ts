import type { StreamInfo } from 'nats';
import type { Config } from '../../config/config.js';
import { unanswered } from '../../lib/unanswered.js';
import type { LayoutRecord } from '../../protocol/layout-records.js';
import { startPatienceMs } from '../client/ask-again.js';
import type { NatsHandles } from '../client/handles.js';
import { hasDefaultConsumers } from '../client/server-version.js';
import { bucketStream, type NatsBucket } from '../kv/bucket.js';
import { type Agreement, agree, type Found } from './agreement.js';
import { createStream, takeBack } from './creation.js';
import { bucketConfig, MANY_CONSUMERS, type StreamLimits, streamConfig, type Wanted } from './stored.js';
import { describedLayout, tryLayout } from './stream-layout.js';

/** The existing stream and bucket, and the settings for a missing stream or bucket. */
export interface Plan {
  config: Config;
  limits: StreamLimits;
  found: Found;
  agreed: Agreement;
}

/** An existing stream and bucket, with the layout in the bucket. */
export interface Provided {
  stream: StreamInfo;
  bucket: StreamInfo;
  layout: LayoutRecord;
}

/** How to set a limit that an account requires. */
const limitBytes = 'Create it with "natspoc stream create --max-bytes 1GiB --bucket-max-bytes 64MiB"';

/**
 * Creates the missing parts: the bucket, then the stream, then the layout in the bucket. If several clients create them
 * at the same time, the client that creates the stream decides the layout. The stream's description contains the layout.
 * If a step is refused, the parts that this call created are deleted.
 *
 * @throws NatspocError if a step is refused.
 */
export async function provide(handles: NatsHandles, bucket: NatsBucket, plan: Plan): Promise<Provided> {
  const { manager } = handles;
  const { config, limits, found, agreed } = plan;
  const made: string[] = [];
  const name = bucketStream(config.bucket);
  // Servers without a default limit of consumers get none, because it could not be changed later.
  const consumers = hasDefaultConsumers(handles.connection) ? { max_consumers: MANY_CONSUMERS } : {};
  const make = async (wanted: Wanted, otherSubjects: string) => {
    const advice = { otherSubjects, limitBytes };
    const created = await createStream(manager, { ...wanted, ...consumers }, advice, startPatienceMs(config));
    if (created.isOurs) made.unshift(wanted.name);
    return created;
  };
  try {
    let { stream, bucket: entries } = found;
    entries ??= (
      await make(bucketConfig(config, limits), `choose another bucket with ${config.option('bucket')}`)
    ).info;
    if (!stream) {
      const { info, isOurs } = await make(
        streamConfig(config, agreed.layout, limits),
        `give it a prefix of its own with ${config.option('prefix')}`,
      );
      stream = info;
      // Another process created the stream first and uses the bucket too. So nothing may be deleted.
      if (!isOurs) made.length = 0;
    }
    // A stored layout that was not binding before is still ignored.
    const before = agreed.isStored ? found.stored : { ...found.stored, layout: undefined };
    const now = { stream, bucket: entries, stored: before };
    const { layout, isStored } = agree(config, now);
    if (isStored) return { ...now, layout };
    const written = await tryLayout(bucket, config.bucket, layout, before.revision);
    if (!written.layout) {
      // The bucket may be full, and may have lost the layout when its limit was lowered. The stream's description still
      // contains the layout.
      const isKnown = found.bucket !== undefined && describedLayout(stream.config) !== undefined;
      if (isKnown && written.refusal !== undefined) return { ...now, layout };
      throw unanswered('write the layout', written);
    }
    const stored = { layout: written.layout, revision: 0 };
    return { ...now, layout: agree(config, { ...now, stored }).layout };
  } catch (error) {
    await takeBack(manager, { name, lastSequence: found.bucket?.state.last_seq ?? 0 }, made);
    throw error;
  }
}

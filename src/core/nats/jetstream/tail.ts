import { DeliverPolicy, type Msg, nuid } from 'nats';
import type { Watch } from '../../ports/index.js';
import type { StoredMessage } from '../../ports/stream-admin.js';
import { isUnknownOutcome, toNatspocError } from '../client/outcome.js';
import type { Topology } from '../stream/topology.js';
import type { DeliveryInfo } from './delivery.js';
import { PullReader } from './pull.js';
import { storedMessage } from './stored-message.js';

const WINDOW = { messages: 512, bytes: 4_194_304 };
const HEARTBEAT_MS = 2_000;
const RETRY_MS = 250;

/** What to read. */
export interface TailOptions {
  /** Subject filter: a partition, or the wildcard of all. */
  filter: string;
  startSequence: number;
  message: (message: StoredMessage) => void;
  failed: (error: unknown) => void;
}

/** Reads stored and then new messages in order, and continues after the last one if the reader fails. */
export function tailMessages(
  topology: Topology,
  { filter, startSequence, message: tell, failed }: TailOptions,
): Watch {
  const { stream } = topology;
  let next = startSequence;
  let reader: PullReader | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const reopen = (): void => {
    reader = undefined;
    if (!stopped) timer = setTimeout(() => void open(), RETRY_MS);
  };
  const receive = (
    { subject, headers, data }: Msg,
    { streamSequence: sequence, timestampMs: atMs }: DeliveryInfo,
  ): void => {
    next = sequence + 1;
    reader?.release(1);
    tell(storedMessage(topology, { sequence, atMs, subject, headers, data }));
  };
  const open = async (): Promise<void> => {
    if (stopped) return;
    try {
      const opened = await PullReader.open(
        topology,
        {
          stream,
          name: `natspoc-tail-${nuid.next()}`,
          filter,
          start: { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: Math.max(1, next) },
          window: WINDOW,
          heartbeatMs: HEARTBEAT_MS,
        },
        { message: receive, fault: (_reason, error) => (error ? failed(error) : reopen()) },
      );
      reader = opened.reader;
      if (stopped) reader.close();
      else reader.start();
    } catch (error) {
      if (stopped) return;
      if (isUnknownOutcome(error)) reopen();
      else failed(toNatspocError(error, `read ${stream}`));
    }
  };
  void open();
  return {
    stop() {
      stopped = true;
      clearTimeout(timer);
      reader?.close();
    },
  };
}

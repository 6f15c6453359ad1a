import type { Connecting, StreamOptions } from './connecting.js';
import type { JoinGroupOptions } from './member.js';

/** The stream to inspect and control, and the ttl and drain timeout of its members. */
export type OpenStreamOptions = Connecting &
  Pick<StreamOptions, 'stream' | 'bucket' | 'timeoutMs' | 'authRetryMs' | 'inboxPrefix' | 'jsDomain'> &
  Pick<JoinGroupOptions, 'group' | 'ttlMs' | 'drainTimeoutMs'>;

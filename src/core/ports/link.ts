import type { NatspocError } from '../lib/errors.js';

/** A connection that broke. */
export interface Break {
  /** Host and port; null if unknown. */
  server: string | null;
  /** The reason as text for people; null if unknown. */
  reason: string | null;
}

/** Events of the connection. */
export interface LinkEvents {
  disconnected: (about?: Break) => void;
  /** `server`: the server to which the process is now connected. */
  reconnected: (server?: string | null) => void;
  /** The connection has ended: the server no longer accepts the credentials, or this process closed it. */
  ended: (error: NatspocError) => void;
}

/** The state of the connection. */
export interface Link {
  /** Reports events until the returned function is called. */
  watch(events: LinkEvents): () => void;
}

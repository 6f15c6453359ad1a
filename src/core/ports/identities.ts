/** The answer to a probe of one member by another. */
export type ProbeOutcome = 'alive' | 'no-responders' | 'timeout' | 'denied';

/** Probes whether a member's connection exists. */
export interface Prober {
  probe(sessionId: string): Promise<ProbeOutcome>;
}

/** The identity of a member: the id of its micro service, which answers probes. */
export interface MemberIdentity {
  readonly id: string;
  /**
   * False if permissions forbid the member to answer probes. A missing answer then does not prove that the member is
   * dead.
   */
  readonly probeable: boolean;
  close(): void;
}

/** Creates identities. A fenced member needs a new one. */
export interface Identities {
  create(): Promise<MemberIdentity | undefined>;
}

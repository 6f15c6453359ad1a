import type { Clock } from '../../lib/clock.js';
import type { MemberIdentity } from '../../ports/index.js';
import type { MemberPorts } from './contract.js';

/** The dependencies of {@link Identification}. */
export interface IdentificationPorts {
  clock: Clock;
  identities: MemberPorts['identities'];
  /** Delay after a failure, in milliseconds. */
  retryMs: number;
  identified: (id: string) => void;
}

/**
 * The identity of the current session. If it cannot be created, another attempt follows after `retryMs`. Each session gets its own
 * identity.
 */
export class Identification {
  readonly #ports: IdentificationPorts;
  #identity: MemberIdentity | undefined;
  #isOver = false;

  constructor(ports: IdentificationPorts) {
    this.#ports = ports;
  }

  /** False if other members cannot probe this member. */
  get isProbeable(): boolean {
    return this.#identity?.probeable !== false;
  }

  /** Closes the last identity, and creates another. */
  async begin(): Promise<void> {
    const { clock, identities, retryMs, identified } = this.#ports;
    this.#identity?.close();
    this.#identity = undefined;
    const identity = await identities.create();
    if (this.#isOver) identity?.close();
    else if (identity) {
      this.#identity = identity;
      identified(identity.id);
    } else {
      clock.at(clock.now() + retryMs, () => {
        if (!this.#isOver) void this.begin();
      });
    }
  }

  close(): void {
    this.#isOver = true;
    this.#identity?.close();
  }
}

import { systemClock } from '../../lib/clock.js';
import type { Rest } from '../../ports/index.js';
import type { NatsHandles } from '../client/handles.js';
import { countsDrops } from '../client/server-version.js';
import type { PullBudget } from './pull-budget.js';
import type { PullRequests } from './pull-requests.js';

/** A request was always pending. */
const NO_REST: Rest = { from: 0, until: 0, isDoubtful: true };

/** Keeps track of the times in which a reader possibly had no pending request. */
export class ReaderRests {
  readonly #handles: NatsHandles;
  readonly #demand: PullBudget;
  readonly #requests: PullRequests;
  /** The rest of a delivery if a request was always pending and messages waited. */
  readonly #busyRest: Rest | undefined;
  /** Since this time, possibly no request was pending. Undefined if one was always pending since the last delivery. */
  #from: number | undefined = Number.NEGATIVE_INFINITY;
  #last: Rest | undefined;

  constructor(handles: NatsHandles, demand: PullBudget, requests: PullRequests) {
    this.#handles = handles;
    this.#demand = demand;
    this.#requests = requests;
    // The server's count of waiting messages may then include dropped ones. A reconnection ends the reader, so the version stays the same.
    this.#busyRest = countsDrops(handles.connection) ? undefined : NO_REST;
  }

  /** The rest before the last delivery; undefined if there was none. */
  get last(): Rest | undefined {
    return this.#last;
  }

  /**
   * A message was delivered, and counted by the budget.
   *
   * @param waited number of messages that waited before the delivery.
   * @param isLate true if the request may have come late, so that the server waited for it.
   */
  delivered(waited: number, isLate: boolean): void {
    if (isLate) this.#last = { from: Number.NEGATIVE_INFINITY, until: this.#now };
    else if (this.#from === undefined) this.#last = waited > 0 ? this.#busyRest : undefined;
    else this.#last = { from: this.#from, until: this.#requests.endedRestAt };
    this.#from = this.#demand.isWaiting ? undefined : this.#now;
  }

  /** A request has ended, perhaps without all of its messages. */
  requestEnded(): void {
    if (!this.#demand.isWaiting) this.#from ??= this.#now;
  }

  get #now(): number {
    return (this.#handles.clock ?? systemClock).now();
  }
}

import { connect, type NatsConnection } from 'nats';
import {
  type Confirmation,
  createPublisher,
  type GroupMember,
  type JoinGroupOptions,
  joinGroup,
} from '../../src/core/index.js';
import { type TestServer, withServer } from './server.js';

/** A server, and a separate stream for each test. The tests use the library as a program does. */
export class LibraryStage {
  readonly server: TestServer;
  readonly members: Pick<GroupMember, 'leave'>[] = [];
  stream = '';
  #connection: NatsConnection | undefined;

  constructor(server: TestServer) {
    this.server = server;
  }

  get connection(): NatsConnection {
    if (!this.#connection) throw new Error('the connection is open only within tests');
    return this.#connection;
  }

  async open(): Promise<void> {
    this.#connection = await connect({
      servers: this.server.url,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 100,
    });
  }

  async close(): Promise<void> {
    await this.#connection?.close();
  }

  place(partitions = 4) {
    return { connection: this.connection, stream: this.stream, prefix: `${this.stream}.e`, partitions };
  }

  /** Joins with these options. The member leaves after the test. */
  async join(options: Partial<JoinGroupOptions>, partitions = 4): Promise<GroupMember> {
    const given = { ...this.place(partitions), probeIntervalMs: 100, logger: false, ...options };
    const member = await joinGroup(given as JoinGroupOptions);
    this.members.push(member);
    return member;
  }

  async publish(messages: readonly [key: string, text: string][], partitions = 4): Promise<Confirmation[]> {
    const publisher = await createPublisher({ ...this.place(partitions), dedupe: true });
    const stored = await Promise.all(messages.map(([key, data]) => publisher.publish({ key, data })));
    await publisher.close();
    return stored;
  }

  async leaveAll(): Promise<void> {
    for (const member of this.members.splice(0)) await member.leave().catch(() => {});
  }
}

/** Prepares a stage for each test of the suite. Call this inside `describe`. */
export function withLibrary(): LibraryStage {
  const stage = new LibraryStage(withServer());
  let streams = 0;
  before(() => stage.open());
  after(() => stage.close());
  beforeEach(() => {
    stage.stream = `L${++streams}`;
  });
  afterEach(() => stage.leaveAll());
  return stage;
}

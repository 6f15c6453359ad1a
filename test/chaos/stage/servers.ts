import type { JetStreamManager, StreamInfo } from 'nats';
import { startCluster } from '../../support/cluster.js';
import { startTestServer, type TestServer } from '../../support/server.js';
import { until } from '../../support/until.js';

/** How long replicas may take to be complete again after a server is back. */
const CATCH_UP_TIMEOUT_MS = 60_000;

/** The one server of a run, or the servers of its cluster. */
export class Servers {
  readonly all: readonly TestServer[];

  private constructor(all: readonly TestServer[]) {
    this.all = all;
  }

  static async start(count: number): Promise<Servers> {
    return new Servers(count === 1 ? [await startTestServer()] : await startCluster(count));
  }

  get isCluster(): boolean {
    return this.all.length > 1;
  }

  /** For `--server`. */
  get urls(): string {
    return this.all.map(({ url }) => url).join(',');
  }

  /** As people call it. */
  nameOf(server: TestServer): string {
    return `s${this.all.indexOf(server) + 1}`;
  }

  /** The server that leads this stream, where there is a cluster that says so. */
  async leaderOf(manager: JetStreamManager, stream: string): Promise<TestServer | undefined> {
    const info = await manager.streams.info(stream);
    return this.all.find((server) => this.nameOf(server) === info.cluster?.leader);
  }

  /** Resolves when every replica of these streams is there and complete; at once without a cluster. */
  async complete(manager: JetStreamManager, streams: readonly string[]): Promise<void> {
    if (!this.isCluster) return;
    for (const stream of streams) {
      await until(
        `${stream} is complete on all servers`,
        () =>
          manager.streams.info(stream).then(
            (info) => isComplete(info, this.all.length),
            () => false,
          ),
        CATCH_UP_TIMEOUT_MS,
      );
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.all.map((server) => server.stop()));
  }
}

function isComplete({ cluster }: StreamInfo, size: number): boolean {
  const replicas = cluster?.replicas ?? [];
  return Boolean(cluster?.leader) && replicas.length === size - 1 && replicas.every((each) => each.current);
}

import type { JetStreamManager, StreamInfo } from 'nats';
import { startCuttableCluster } from '../../support/cluster.js';
import type { RouteCut, RouteNetwork } from '../../support/routes.js';
import { startTestServer, type TestServer } from '../../support/server.js';
import { until } from '../../support/until.js';
import { OPEN } from './server-config.js';

/** After the restart of a server its replicas must be complete within this time. */
const CATCH_UP_TIMEOUT_MS = 60_000;

/** The servers of a run: one, or a cluster. */
export class Servers {
  readonly all: readonly TestServer[];
  readonly #routes: RouteNetwork | undefined;

  private constructor(all: readonly TestServer[], routes?: RouteNetwork) {
    this.all = all;
    this.#routes = routes;
  }

  static async start(count: number): Promise<Servers> {
    if (count === 1) return new Servers([await startTestServer({ config: OPEN })]);
    const { servers, routes } = await startCuttableCluster(count);
    return new Servers(servers, routes);
  }

  /** Cuts a server's routes to the other servers of its cluster. The returned function repairs the routes. */
  cut(server: TestServer, how: Omit<RouteCut, 'server'>): () => void {
    if (!this.#routes) throw new Error('a single server has no routes');
    return this.#routes.cut({ server: this.nameOf(server), ...how });
  }

  get isCluster(): boolean {
    return this.all.length > 1;
  }

  get urls(): string {
    return this.all.map(({ url }) => url).join(',');
  }

  nameOf(server: TestServer): string {
    return `s${this.all.indexOf(server) + 1}`;
  }

  /** The leader of this stream. Undefined if there is no cluster or no leader. */
  async leaderOf(manager: JetStreamManager, stream: string): Promise<TestServer | undefined> {
    const info = await manager.streams.info(stream);
    return this.all.find((server) => this.nameOf(server) === info.cluster?.leader);
  }

  /** Resolves when every replica of these streams is complete. Without a cluster it resolves at once. */
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
    await this.#routes?.stop();
  }
}

function isComplete({ cluster }: StreamInfo, size: number): boolean {
  const replicas = cluster?.replicas ?? [];
  return Boolean(cluster?.leader) && replicas.length === size - 1 && replicas.every((each) => each.current);
}

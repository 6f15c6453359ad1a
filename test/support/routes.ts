import { connect, createServer, type Server, type Socket } from 'node:net';

/** How a cut treats messages that cross it. */
export type CutManner =
  /** Existing and new connections are closed. */
  | 'refused'
  /** No data arrives, and neither end notices. When the cut heals, TCP delivers the data. */
  | 'held';

/** A cut of one server from all others. */
export interface RouteCut {
  server: string;
  /** The blocked direction. `out` is from the server, `in` is to the server. */
  direction: 'both' | 'out' | 'in';
  manner: CutManner;
}

/** A server that opens a route sends its name in its first protocol line. */
const NAME = /"server_name":"([^"]+)"/;

interface Route {
  /** The server that opened the connection. Undefined until it has sent its name. */
  dialler: string | undefined;
  target: string;
  near: Socket;
  far: Socket;
}

/**
 * The network between the servers of a cluster. Each server's route port has a proxy, so routes can be cut and repaired in each direction.
 * Clients do not connect through these proxies.
 */
export class RouteNetwork {
  readonly #proxies: Server[] = [];
  readonly #routes = new Set<Route>();
  readonly #cuts = new Set<RouteCut>();

  /** Puts a proxy in front of the route port of server `name`. @returns the port to which other servers connect instead. */
  async front(name: string, routePort: number): Promise<number> {
    const proxy = createServer((near) => this.#join(name, near, connect(routePort, '127.0.0.1')));
    this.#proxies.push(proxy);
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const address = proxy.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** Cuts a server off. The returned function repairs the routes. */
  cut(cut: RouteCut): () => void {
    this.#cuts.add(cut);
    for (const route of this.#routes) this.#apply(route);
    return () => {
      this.#cuts.delete(cut);
      for (const route of this.#routes) this.#apply(route);
    };
  }

  async stop(): Promise<void> {
    for (const route of this.#routes) this.#end(route);
    await Promise.all(this.#proxies.map((proxy) => new Promise((resolve) => proxy.close(resolve))));
  }

  #join(target: string, near: Socket, far: Socket): void {
    const route: Route = { dialler: undefined, target, near, far };
    this.#routes.add(route);
    let said = '';
    near.on('data', (chunk) => {
      if (route.dialler === undefined) {
        said += chunk.toString('latin1');
        route.dialler = NAME.exec(said)?.[1];
        // A TCP connection cannot be opened across a cut, even if only one direction is cut.
        if (route.dialler !== undefined && this.#isCut(route)) {
          this.#end(route);
          return;
        }
      }
      far.write(chunk);
    });
    far.on('data', (chunk) => near.write(chunk));
    for (const socket of [near, far]) {
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        // Across a cut neither end learns that the other end has closed.
        if (!this.#isCut(route)) this.#end(route);
      });
    }
  }

  #end(route: Route): void {
    this.#routes.delete(route);
    route.near.destroy();
    route.far.destroy();
  }

  #isCut(route: Route): boolean {
    return [...this.#cuts].some((cut) => this.#blocks(cut, route, 'near') || this.#blocks(cut, route, 'far'));
  }

  /** True if a cut blocks the data of one end of a route. The end of the server that opened the route is `near`. */
  #blocks({ server, direction }: RouteCut, { dialler, target }: Route, side: 'near' | 'far'): boolean {
    const [from, to] = side === 'near' ? [dialler, target] : [target, dialler];
    return (from === server && direction !== 'in') || (to === server && direction !== 'out');
  }

  #apply(route: Route): void {
    const { near, far } = route;
    const cuts = [...this.#cuts];
    const isCut = this.#isCut(route);
    const isClosed = near.destroyed || far.destroyed;
    if (isCut ? cuts.some(({ manner }) => manner === 'refused') : isClosed) {
      this.#end(route);
      return;
    }
    for (const [side, socket] of [
      ['near', near],
      ['far', far],
    ] as const) {
      if (cuts.some((cut) => this.#blocks(cut, route, side))) socket.pause();
      else socket.resume();
    }
  }
}

import { DebugEvents, Events, type NatsConnection } from 'nats';
import { safely } from './listen.js';

/** What somebody who watches the connection itself wants to see. */
export interface ServerEvents {
  /** `server`: host and port; `version`: the server's. */
  connected(server: string, version: string): void;
  disconnected(): void;
  /** An attempt to come back begins. */
  reconnecting(): void;
}

/** Tells which server the connection has, now and after each change, until it closes. */
export function watchServer(connection: NatsConnection, events: ServerEvents): void {
  const connected = () => events.connected(connection.getServer(), connection.info?.version ?? '');
  connected();
  void (async () => {
    for await (const { type } of connection.status()) {
      safely(() => {
        if (type === Events.Disconnect) events.disconnected();
        else if (type === Events.Reconnect) connected();
        else if (type === DebugEvents.Reconnecting) events.reconnecting();
      });
    }
  })();
}

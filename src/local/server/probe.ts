import { readdirSync, readFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import path from 'node:path';
import { type Fields, parseObject } from '../../core/lib/json.js';

/** The ports of a server; `monitor` is null if the server serves no monitoring. */
export interface Ports {
  client: number;
  monitor: number | null;
}

/** The server information that each client receives. */
export interface ServerInfo {
  version: string;
  jetstream: boolean;
}

const INFO_LIMIT_BYTES = 64 * 1024;
const INFO_TIMEOUT_MS = 2_000;

function firstPort(value: unknown): number | null {
  if (!Array.isArray(value) || typeof value[0] !== 'string') return null;
  const port = Number(/:(\d+)\/?$/.exec(value[0])?.[1]);
  return Number.isInteger(port) ? port : null;
}

/**
 * The ports of a server, from the file in its `--ports_file_dir`. The server writes the file when it listens and JetStream has started.
 * Null if the file is missing or incomplete.
 */
export function readPorts(folder: string): Ports | null {
  let content: Fields | undefined;
  try {
    const name = readdirSync(folder).find((entry) => entry.endsWith('.ports'));
    if (name === undefined) return null;
    content = parseObject(readFileSync(path.join(folder, name), 'utf8'));
  } catch {
    return null;
  }
  const client = firstPort(content?.nats);
  return client === null ? null : { client, monitor: firstPort(content?.monitoring) };
}

/** Reads an `INFO {...}` line of the NATS protocol. Returns null for any other line. */
export function parseInfo(line: string): ServerInfo | null {
  const info = line.startsWith('INFO ') ? parseObject(line.slice('INFO '.length)) : undefined;
  if (typeof info?.version !== 'string') return null;
  return { version: info.version, jetstream: info.jetstream === true };
}

/** Connects to a NATS server and returns its information. Null if no NATS server answers within two seconds. */
export function readInfo(host: string, port: number): Promise<ServerInfo | null> {
  return new Promise((resolve) => {
    const socket = createConnection({ host, port });
    let received = '';
    const finish = (info: ServerInfo | null): void => {
      socket.destroy();
      resolve(info);
    };
    socket.setEncoding('utf8').setTimeout(INFO_TIMEOUT_MS, () => finish(null));
    socket.on('data', (chunk) => {
      received += chunk;
      const end = received.indexOf('\r\n');
      if (end >= 0) finish(parseInfo(received.slice(0, end)));
      else if (received.length > INFO_LIMIT_BYTES) finish(null);
    });
    socket.on('error', () => finish(null));
    socket.on('end', () => finish(null));
  });
}

import { readdirSync, readFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import path from 'node:path';
import { type Fields, parseObject } from '../../core/lib/json.js';

/** The ports a server listens on; null for one that it does not serve. */
export interface Ports {
  client: number;
  monitor: number | null;
}

/** What a server says about itself to every client that connects. */
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
 * The ports that a server wrote to its `--ports_file_dir`, or null as long as the file (or the folder) is
 * missing or only partly written. The server writes it when it listens, after its JetStream has started.
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

/** Reads the `INFO {...}` line of the NATS protocol; null when it is something else. */
export function parseInfo(line: string): ServerInfo | null {
  const info = line.startsWith('INFO ') ? parseObject(line.slice('INFO '.length)) : undefined;
  if (typeof info?.version !== 'string') return null;
  return { version: info.version, jetstream: info.jetstream === true };
}

/**
 * Connects to a NATS server and returns how it introduces itself, or null when nothing, or something else,
 * answers there within two seconds.
 */
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

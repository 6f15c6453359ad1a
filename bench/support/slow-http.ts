/**
 * A local HTTP server that imitates an index. It answers each bulk write after a fixed time:
 *
 *     node --import tsx bench/support/slow-http.ts MILLISECONDS
 *
 * The server writes its port to standard output, and exits when its standard input ends.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const [answerMs] = process.argv.slice(2).map(Number);
const server = createServer((request, response) => {
  let lines = 0;
  request.on('data', (chunk: Buffer) => {
    for (const byte of chunk) if (byte === 0x0a) lines++;
  });
  request.once('end', () => setTimeout(() => response.end(String(lines)), answerMs));
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
process.stdin.once('close', () => process.exit(0)).resume();

import assert from 'node:assert/strict';
import { runCli, startCli, stopAll } from '../support/cli.js';
import { TcpProxy } from '../support/proxy.js';
import { withServer } from '../support/server.js';

/** Commands, each with one of its requests: the server answers neither this request nor any later one. */
const UNANSWERED: [command: string, question: string][] = [
  ['stream', 'STREAM.INFO'],
  ['stream', 'CONSUMER.CREATE'],
  ['stream', 'MSG.NEXT'],
  ['stream get 1', 'STREAM.MSG.GET.B '],
  ['stream tail --no-follow', 'CONSUMER.CREATE'],
  ['stream tail --no-follow', 'MSG.NEXT'],
  ['stream trim --force', 'CONSUMER.CREATE'],
  ['stream purge --force', 'STREAM.PURGE'],
  ['stream redrive', 'CONSUMER.CREATE'],
  ['leases', 'MSG.NEXT'],
  ['leases check', 'MSG.NEXT'],
  ['leases history 0', 'CONSUMER.CREATE'],
  ['leases release 0', 'natspoc.B'],
  ['leases pause 0', 'override.0'],
  ['leases seek 0 --to first --force', 'CONSUMER.CREATE'],
  ['publish x', 'PUB B.e'],
  ['top --once', 'MSG.NEXT'],
];

describe('a server that stops answering', function () {
  this.timeout(90_000);
  const server = withServer();
  const env = {
    STREAM_NAME: 'B',
    SUBJECT_PREFIX: 'B.e',
    PARTITIONS: '2',
    NATS_TIMEOUT: '2s',
    LEASE_TTL: '3s',
  };

  before(async function () {
    this.timeout(60_000);
    const at = { env: { ...env, NATS_URL: server.url } };
    assert.equal((await runCli(['publish', '--count', '9', '--quiet'], at)).code, 0);
    const member = startCli(['consume', '--output', 'none'], at);
    await member.tookOver(2);
  });
  after(stopAll);

  for (const [command, question] of UNANSWERED) {
    it(`ends "natspoc ${command}" with an error line, from ${question.trim()} on`, async () => {
      const proxy = await TcpProxy.start(server.port);
      proxy.silenceAt(question);
      try {
        const { code, stdout, stderr } = await runCli(command.split(' '), {
          env: { ...env, NATS_URL: proxy.url },
        });
        assert.notEqual(code, 0, stdout);
        assert.match(stdout + stderr, /answer|in time|confirmed|unreachable|lost|gone/, stderr);
      } finally {
        await proxy.stop();
      }
    });
  }
});

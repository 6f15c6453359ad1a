import assert from 'node:assert/strict';
import { type CliExit, runCli, startCli, stopAll } from '../support/cli.js';
import { TcpProxy } from '../support/proxy.js';
import { withServer } from '../support/server.js';

/** Commands, each with one of its requests. From this request on, the server answers nothing. */
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

const AT_THE_SAME_TIME = 4;

describe('a server that stops answering', function () {
  this.timeout(90_000);
  const server = withServer();
  const exits: Promise<CliExit>[] = [];
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
    // Several commands run at the same time, because they mostly wait.
    for (const [index, unanswered] of UNANSWERED.entries())
      exits[index] = Promise.resolve(exits[index - AT_THE_SAME_TIME]).then(() => ask(unanswered));
  });
  after(stopAll);

  async function ask([command, question]: (typeof UNANSWERED)[number]): Promise<CliExit> {
    const proxy = await TcpProxy.start(server.port);
    proxy.silenceAt(question);
    try {
      return await runCli(command.split(' '), { env: { ...env, NATS_URL: proxy.url } });
    } finally {
      await proxy.stop();
    }
  }

  for (const [index, [command, question]] of UNANSWERED.entries()) {
    it(`natspoc ${command} ends with an error line if the server stops answering at ${question.trim()}`, async () => {
      const { code, stdout, stderr } = (await exits[index]) ?? assert.fail();
      assert.notEqual(code, 0, stdout);
      assert.match(stdout + stderr, /answer|in time|confirmed|unreachable|lost|gone/, stderr);
    });
  }
});

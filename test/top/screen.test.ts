import assert from 'node:assert/strict';
import { join } from 'node:path';
import { runCli, startCli, stopAll } from '../support/cli.js';
import { TcpProxy } from '../support/proxy.js';
import { withServer } from '../support/server.js';
import { withTempFolder } from '../support/temp.js';
import { until } from '../support/until.js';
import { ENTRY, startConsumer, TopTerminal } from './top-terminal.js';

describe('natspoc top in a terminal', function () {
  this.timeout(120_000);
  const server = withServer();
  const folder = withTempFolder();
  let terminal: TopTerminal;

  const open = async (columns: number, rows: number, env: Record<string, string> = {}) => {
    terminal = await TopTerminal.open({ columns, rows }, folder(), { NATS_URL: server.url, ...env });
    return terminal.tmux;
  };
  const consume = (name: string) => startConsumer(server.url, name);

  afterEach(async () => {
    await terminal?.close();
    await stopAll();
  });

  it('top shows members that join, leave and are killed with a key of top, at every size', async () => {
    startCli(['publish', '--rate', '50', '--keys', '20', 'event {{Count}}'], {
      env: { NATS_URL: server.url },
    });
    const [first, second] = [consume('first'), consume('second')];
    await Promise.all([first.note(/claimed|acquired/), second.note(/claimed|acquired/)]);
    const tmux = await open(80, 24);
    await terminal.top();
    await tmux.shows(/healthy +partitions 8\/8 +members 2/);
    await tmux.shows(/A +first[^\n]*\n *B +second/);

    const third = consume('third');
    await third.note(/joined group/);
    await tmux.shows(/C third/);
    await third.note(/acquired|claimed|from/);
    await tmux.shows(/healthy +partitions 8\/8 +members 3/);
    await tmux.shows(/C third got (p\d|\d partitions) from (first|second) in [0-9.]+ m?s/);

    await tmux.resize({ columns: 120, rows: 40 });
    await tmux.shows(/Timeline ─/);
    second.signal('SIGINT');
    await second.exited;
    await tmux.shows(/B second left/);
    await tmux.shows(/healthy +partitions 8\/8 +members 2/);

    await tmux.resize({ columns: 200, rows: 60 });
    await tmux.shows(/P50 +P99 +BUSY +FAILED +RETRIES/);
    await tmux.press('Tab', 'j', 'K');
    await tmux.shows(new RegExp(`Kill -9 first \\(pid ${first.pid}\\)\\?`));
    await tmux.press('y');
    assert.equal((await first.exited).signal, 'SIGKILL');
    await third.note(/claimed p[-p\d ]+ from first/);
    await tmux.shows(/A first died/);
    await tmux.shows(/first killed: p[-p0-9 ]+ -> third, in [0-9.]+ m?s\./);
    await tmux.shows(/healthy +partitions 8\/8 +members 1/);

    assert.equal(await tmux.variable('history_size'), '0', 'no line has scrolled');
    await tmux.press('q');
    await terminal.assertClean(0);
  });

  it('top learns of changes from its watch, not from polling', async () => {
    const first = consume('first');
    await first.note(/claimed|acquired/);
    const tmux = await open(120, 40);
    // The screen polls when it opens, but not again during the test.
    await terminal.top('--interval 10m');
    await tmux.shows(/healthy +partitions 8\/8 +members 1/);
    const second = consume('second');
    await tmux.shows(/[A-Z] second joined/);
    await tmux.shows(/healthy +partitions 8\/8 +members 2/);
    second.signal('SIGTERM');
    await tmux.shows(/[A-Z] second left/);
    await tmux.shows(/healthy +partitions 8\/8 +members 1/);
  });

  it('top keeps the screen while the server is gone, and reconnects', async () => {
    const member = consume('steady');
    await member.note(/claimed|acquired/);
    const tmux = await open(100, 30);
    await terminal.top();
    await tmux.shows(/healthy/);
    await server.kill();
    await tmux.shows(/Disconnected for .* \(\d+ reconnect attempts?\)[\s\S]*steady/);
    await server.start();
    await tmux.shows(/healthy +partitions 8\/8/, 30_000);
    await tmux.press('q');
    await terminal.assertClean(0);
  });

  it('top restores the terminal after a signal, an uncaught error, and an error in a view', async () => {
    const fail = '() => { throw new Error("forced by the test"); }';
    const crashes = `process.on('SIGUSR2', ${fail});
      process.on('SIGCHLD', () => { Date.prototype.getHours = ${fail}; });`;
    const options = `--import=data:text/javascript,${encodeURIComponent(crashes)}`;
    const tmux = await open(100, 30, { NODE_OPTIONS: options });
    const ways = [
      ['SIGTERM', 0],
      ['SIGINT', 0],
      ['SIGHUP', 0],
      ['SIGUSR2', 1],
      // From here on, drawing any time of day fails.
      ['SIGCHLD', 1],
    ] as const;
    for (const [signal, exit] of ways) {
      await terminal.top('--stream NOWHERE');
      await tmux.shows(/There is no stream NOWHERE yet/);
      process.kill(terminal.pid, signal);
      const left = await terminal.assertClean(exit);
      if (exit === 1) assert.match(left, /Error: forced by the test/);
    }
  });

  it('a signal during the start of top closes top as soon as it is connected', async () => {
    const proxy = await TcpProxy.start(server.port);
    try {
      const tmux = await open(100, 30, { NATS_URL: proxy.url });
      for (const view of ['screen', 'lines']) {
        if (view === 'lines') await tmux.type('export INK_SCREEN_READER=true\n');
        proxy.hold();
        await terminal.top();
        await until('top connects', () => proxy.isUsed);
        process.kill(terminal.pid, 'SIGTERM');
        proxy.pass();
        await tmux.shows(/AFTER=0/);
        await until('top closes its connection', () => !proxy.isUsed);
      }
    } finally {
      await proxy.stop();
    }
  });

  it('top records a group, and replays it without a server', async () => {
    const file = join(folder(), 'seen.ndjson');
    const member = consume('witness');
    await member.note(/claimed|acquired/);
    const tmux = await open(100, 30);
    await terminal.top(`--record ${file}`);
    await tmux.shows(/witness[\s\S]*healthy|healthy[\s\S]*witness/);
    await tmux.press('q');
    await terminal.assertClean(0);
    const replayed = await runCli(['top', '--replay', file], { env: { NATS_URL: 'nats://127.0.0.1:1' } });
    assert.equal(replayed.code, 0, replayed.stderr);
    assert.match(replayed.stdout, /witness/);
  });
});

describe('natspoc top without a terminal', function () {
  this.timeout(60_000);
  const server = withServer();
  after(stopAll);

  it('top without a terminal prints one snapshot as text, without escape codes', async () => {
    const member = startCli(['consume', '--name', 'quiet', '--output', 'none'], {
      env: { NATS_URL: server.url },
    });
    await member.note(/claimed|acquired/);
    const { code, stdout, stderr } = await runCli(['top'], { env: { NATS_URL: server.url } });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /healthy {2}partitions 8\/8 {2}members 1/);
    assert.match(stdout, /^p7 +A +quiet/m);
    assert.ok(!stdout.includes('\u001b'));
  });

  it('top --json prints one document, or one document per round until its reader is gone', async () => {
    const env = { NATS_URL: server.url };
    const { stdout } = await runCli(['top', '--json', '--once'], { env });
    const snapshot = JSON.parse(stdout);
    assert.equal(snapshot.partitions.length, 8);
    assert.deepEqual(snapshot.health, { ok: true, level: 'ok', reason: 'healthy' });
    const follower = startCli(['top', '--json', '--interval', '100ms'], { env });
    await new Promise<void>((resolve) => follower.child.stdout?.once('data', () => resolve()));
    follower.child.stdout?.destroy();
    assert.equal((await follower.exited).code, 0);
  });

  it('top names the command to run without a stream or bucket, and fails without a server', async () => {
    const none = await runCli(['top', '--once', '--stream', 'NOWHERE'], { env: { NATS_URL: server.url } });
    assert.equal(none.code, 1);
    assert.match(none.stdout, /There is no stream NOWHERE yet\. "natspoc publish --stream NOWHERE"/);
    const env = { NATS_URL: server.url, STREAM_NAME: 'ALONE', SUBJECT_PREFIX: 'alone' };
    const created = await runCli(['stream', 'create'], { env });
    assert.equal(created.code, 0, created.stderr);
    const flags = ['--once', '--bucket', 'NOBODYS'];
    const bucketless = await runCli(['top', ...flags], { env });
    assert.match(bucketless.stdout, /Stream \w+ has no bucket NOBODYS: .*set --bucket\./);
    assert.equal(bucketless.code, 1);
    const json = await runCli(['top', ...flags, '--json'], { env });
    assert.match(JSON.parse(json.stdout).health.reason, /has no bucket NOBODYS/);
    assert.equal(json.code, 1);
    const follower = startCli(['top', '--json', '--bucket', 'NOBODYS'], { env });
    await until('JSON is printed', () => follower.stdout.length > 0);
    follower.signal('SIGINT');
    assert.equal((await follower.exited).code, 1);
    const dead = await runCli(['top', '--timeout', '500ms'], { env: { NATS_URL: 'nats://127.0.0.1:1' } });
    assert.equal(dead.code, 3);
    assert.match(dead.stderr, /Cannot reach NATS/);
  });

  for (const [when, text] of [
    ['before the first request', 'PONG'],
    ['before it has found the stream', '$JS.API.STREAM.INFO.EVENTS'],
    ['before it has seen the group', '$JS.API.CONSUMER.CREATE.KV_EVENTS_leases'],
    ['before it has seen the positions', '$JS.API.CONSUMER.CREATE.EVENTS'],
  ] as const) {
    it(`top fails with one line if the server dies ${when}`, async () => {
      await runCli(['publish', '--quiet'], { env: { NATS_URL: server.url } });
      for (const flags of [['--once'], ['--once', '--json'], ['--json']]) {
        const proxy = await TcpProxy.start(server.port);
        proxy.cutAt(text);
        const { code, stdout, stderr } = await runCli(['top', ...flags], { env: { NATS_URL: proxy.url } });
        await proxy.stop();
        const json = flags.includes('--json');
        assert.equal(code, 3, `${flags.join(' ')}: ${stdout}${stderr}`);
        assert.equal(json ? stderr : stdout, '');
        const said = json ? JSON.parse(stdout).error.message : stderr.replace(/^Error: /, '');
        assert.equal(said, 'Could not read the state of stream EVENTS: the connection to NATS was lost.');
      }
    });
  }

  it('top --replay refuses a file that is not a recording', async () => {
    const { code, stderr } = await runCli(['top', '--replay', ENTRY]);
    assert.equal(code, 2);
    assert.match(stderr, /is not a recording/);
  });
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { runCli, startCli, stopAll } from '../support/cli.js';
import { TestServer, withServer } from '../support/server.js';
import { withTempFolder } from '../support/temp.js';
import { startConsumer, TopTerminal } from './top-terminal.js';

describe('acting from natspoc top', function () {
  this.timeout(120_000);
  const server = withServer();
  const folder = withTempFolder();
  let terminal: TopTerminal;

  const open = async (flags = '') => {
    const env = { NATS_URL: server.url, XDG_STATE_HOME: folder() };
    terminal = await TopTerminal.open({ columns: 120, rows: 40 }, folder(), env);
    await terminal.top(flags);
    return terminal.tmux;
  };

  afterEach(async () => {
    await terminal?.close();
    await stopAll();
  });

  it('top releases, pauses and resumes a partition, and shows the outcomes', async () => {
    const [ann, ben] = [startConsumer(server.url, 'ann'), startConsumer(server.url, 'ben')];
    await Promise.all([ann.note(/claimed|acquired/), ben.note(/claimed|acquired/)]);
    const tmux = await open();
    await tmux.shows(/healthy +partitions 8\/8 +members 2/);

    await tmux.press('j', 'r');
    const asked = await tmux.shows(/Release p0 from (ann|ben)\?/);
    const from = /Release p0 from (\w+)/.exec(asked)?.[1] ?? '';
    const to = from === 'ann' ? 'ben' : 'ann';
    assert.match(asked, new RegExp(`commits\\. p0 then goes to ${to}, which has the fewest`));
    await tmux.press('y');
    await tmux.shows(new RegExp(`p0 moved ${from} -> ${to} in [0-9.]+ m?s, at epoch \\d+\\.`));

    await tmux.press('p');
    await tmux.shows(/Pause p0\?/);
    await tmux.press('y');
    await tmux.shows(/p0 paused in/);
    await tmux.shows(/^p0 .* paused$/m);
    await tmux.press('p');
    await tmux.shows(/Resume p0\?/);
    await tmux.press('y');
    await tmux.shows(/p0 resumed in/);
    const { stdout } = await runCli(['leases', '--json'], { env: { NATS_URL: server.url } });
    assert.equal(JSON.parse(stdout).partitions[0].paused, false);
  });

  it('top starts a member that outlives the screen, and shows its partitions and its log file', async () => {
    const ann = startConsumer(server.url, 'ann');
    await ann.note(/claimed|acquired/);
    const tmux = await open();
    await tmux.shows(/healthy +partitions 8\/8 +members 1/);
    await tmux.press('a');
    const asked = await tmux.shows(/Start a member without a handler on this machine\?/);
    assert.match(asked, /The member joins group default and gets p[-p0-9 ]+ from ann\./);
    await tmux.press('y');
    const said = await tmux.shows(/ joined in [0-9.]+ m?s and owns p[-p0-9 ]+ from ann\. [\s\S]*\.log$/m);
    const log = /Its log:\s+(\S+\.log)/.exec(said)?.[1] ?? '';
    await tmux.shows(/healthy +partitions 8\/8 +members 2/);
    await tmux.press('q');
    await terminal.assertClean(0);
    assert.match(readFileSync(log, 'utf8'), /joined group default/);
    const { stdout } = await runCli(['top', '--once', '--json'], { env: { NATS_URL: server.url } });
    const members: { name: string; pid: number }[] = JSON.parse(stdout).members;
    const started = members.find(({ name }) => name !== 'ann');
    assert.equal(members.length, 2);
    process.kill(started?.pid ?? 0, 'SIGTERM');
    await ann.note(/from .+-\d+ (at epoch|in) /);
  });

  it('top stops a member on this machine by a signal, and a member on another machine over NATS', async () => {
    const near = startConsumer(server.url, 'near');
    const far = startConsumer(server.url, 'far', { host: 'elsewhere' });
    const stays = startConsumer(server.url, 'stays');
    await Promise.all([near, far, stays].map((each) => each.note(/claimed|acquired/)));
    const tmux = await open();
    await tmux.shows(/healthy +partitions 8\/8 +members 3/);

    await tmux.press('Tab', 'j', 'K');
    await tmux.shows(/far runs on elsewhere: only members on this machine can be killed/);
    await tmux.press('x');
    await tmux.shows(new RegExp(`Stop far \\(pid ${far.pid} on elsewhere\\)\\?[\\s\\S]*asked over NATS`));
    await tmux.press('y');
    assert.equal((await far.exited).code, 0);
    await tmux.shows(/far stopped: p[-p0-9 ]+ -> \w+.*, in [0-9.]+ m?s\./);

    await tmux.shows(/healthy +partitions 8\/8 +members 2/);
    await tmux.press('g', 'x');
    await tmux.shows(
      new RegExp(
        `Stop near \\(pid ${near.pid}\\)\\?[\\s\\S]*Of the member's partitions, p[-p0-9 ]+ go to stays\\.`,
      ),
    );
    await tmux.press('y');
    assert.equal((await near.exited).code, 0);
    await tmux.shows(/near stopped: p[-p0-9 ]+ -> stays, in [0-9.]+ m?s\./);
  });

  it('top reports in one line that an owner does not answer, and continues', async () => {
    const [hung, other] = [startConsumer(server.url, 'hung'), startConsumer(server.url, 'other')];
    // Other members take over only after the ttl. Until then the test can ask.
    await Promise.all([hung.note(/claimed|acquired/), other.note(/claimed|acquired/)]);
    const tmux = await open('--timeout 1s');
    await tmux.shows(/healthy +partitions 8\/8 +members 2/);
    other.signal('SIGSTOP');
    hung.signal('SIGSTOP');
    await tmux.press('j', 'r');
    await tmux.shows(/Release p0 from (hung|other)\?/);
    await tmux.press('y');
    await tmux.shows(
      /p0 not released: (hung|other) \(.*\) does not answer; "leases release --force" fences it/,
    );
    await tmux.press('r');
    await tmux.shows(/Release p0 from/);
  });

  it('top closes while a request is not answered yet', async () => {
    const hung = startConsumer(server.url, 'hung');
    await hung.note(/claimed|acquired/);
    // The request waits for half of this timeout, which is far longer than the test. So closing must not wait for the answer.
    const tmux = await open('--timeout 5m');
    await tmux.shows(/healthy +partitions 8\/8 +members 1/);
    hung.signal('SIGSTOP');
    await tmux.press('j', 'r');
    await tmux.shows(/Release p0 from hung\?/);
    await tmux.press('y');
    await tmux.shows(/Releasing p0 …/);
    await tmux.press('q');
    await terminal.assertClean(0);
  });

  it('top closes while it looks up which member to ask', async () => {
    const only = startConsumer(server.url, 'only');
    await only.note(/claimed|acquired/);
    const tmux = await open('--timeout 5m');
    await tmux.shows(/healthy +partitions 8\/8 +members 1/);
    await tmux.press('j', 'r');
    await tmux.shows(/Release p0 from only\?/);
    await tmux.press('y', 'q');
    await terminal.assertClean(0);
  });

  it('top with --readonly has no keys that act on the group', async () => {
    const only = startConsumer(server.url, 'only');
    await only.note(/claimed|acquired/);
    const tmux = await open('--readonly');
    await tmux.shows(/healthy/);
    await tmux.press('j', 'r', 'p', 'Tab', 'j', 'x', 'K', 'a', '?');
    const help = await tmux.shows(/Ctrl-L +redraw/);
    assert.doesNotMatch(help, /release the|skip the|stop the member|kill -9|add a member|make a dead letter/);
    await tmux.press('?');
    assert.doesNotMatch(await tmux.shows(/▶ Members/), /y yes/);
  });

  it('top shows the number of dead letters, and the last dead letter', async () => {
    const failing = startConsumer(server.url, 'failing', {
      flags: ['--exec', 'echo out of stock >&2; exit 1', '--max-attempts', '2', '--backoff', '1ms'].concat(
        '--on-failure',
        'dead-letter',
      ),
    });
    await failing.note(/claimed|acquired/);
    startCli(['publish', '--count', '3', '--key', 'k'], { env: { NATS_URL: server.url } });
    const tmux = await open();
    await tmux.shows(/dead letters 3/);
    await tmux.press('BTab');
    await tmux.shows(
      /dead letters {2}3, [^\n]* in EVENTS_dead\n *the last {2}p\d #\d+ of default after 2 attempts: /,
    );
  });

  it('top lists dead letters, shows a letter in full, puts one letter back and drops another', async () => {
    const fruit = ['--stream', 'FRUIT', '--prefix', 'fruit'];
    const failing = startConsumer(server.url, 'failing', {
      flags: [...fruit, '--exec', 'exit 1', '--max-attempts', '1'].concat('--on-failure', 'dead-letter'),
    });
    await failing.note(/claimed|acquired/);
    const env = { NATS_URL: server.url };
    await runCli(['publish', ...fruit, 'two crates of pears', '--key', 'pear'], { env });
    await runCli(['publish', ...fruit, 'a box of plums', '--key', 'plum'], { env });
    const tmux = await open(fruit.join(' '));
    await tmux.shows(/dead letters 2/);
    // Otherwise this member would fail the letter again after it is put back.
    failing.signal('SIGTERM');
    assert.equal((await failing.exited).code, 0);
    await tmux.press('L');
    await tmux.shows(/LETTER[^\n]*ERROR *\n[^\n]* 2 [^\n]*plum[^\n]*exit code 1[^\n]*\n[^\n]* 1 [^\n]*pear/);
    await tmux.press('Enter');
    await tmux.shows(/Attempts +1\n[\s\S]*Key +plum\n[\s\S]*a box of plums\n/);
    await tmux.press('j');
    await tmux.shows(/two crates of pears/);
    await tmux.press('b');
    await tmux.shows(/Put dead letter 1 back\?/);
    await tmux.press('y');
    await tmux.shows(/Dead letter 1 was published again as message 3\./);
    await tmux.shows(/The dead letters of the stream \(1\)/);
    await tmux.press('x');
    await tmux.shows(/Drop dead letter 2\?/);
    await tmux.press('y');
    await tmux.shows(/Dead letter 2 dropped\./);
    await tmux.shows(/The dead letters of the stream\n *none/);
    await tmux.press('Escape');
    await tmux.shows(/Partitions/);
  });
});

describe('acting without the permission', function () {
  this.timeout(120_000);
  const config = `authorization { users = [
    { user: member, password: member }
    { user: guest, password: guest, permissions: {
      publish: { deny: ["natspoc.>", "$KV.>", "$JS.API.STREAM.INFO.EVENTS_dead"] } } }
  ] }`;
  const server = new TestServer({ config });
  const folder = withTempFolder();
  const url = (user: string) => `nats://${user}:${user}@127.0.0.1:${server.port}`;
  let terminal: TopTerminal;
  before(() => server.start());
  after(async () => {
    await terminal?.close();
    await stopAll();
    await server.stop();
  });

  it('top names the missing permission in one line, and shows everything else', async () => {
    const member = startConsumer(url('member'), 'guarded', { host: 'elsewhere' });
    await member.note(/claimed|acquired/);
    const env = { NATS_URL: url('guest'), XDG_STATE_HOME: folder() };
    terminal = await TopTerminal.open({ columns: 120, rows: 40 }, folder(), env);
    const { tmux } = terminal;
    await terminal.top();
    await tmux.shows(/healthy +partitions 8\/8 +members 1/);
    await tmux.press('BTab');
    await tmux.shows(/dead letters {2}not permitted to read/);
    await tmux.press('Tab');
    const order = async (keys: string[], question: RegExp, outcome: RegExp) => {
      await tmux.press(...keys);
      await tmux.shows(question);
      await tmux.press('y');
      await tmux.shows(outcome);
    };
    await order(['j', 'r'], /Release p0/, /p0 not released: not permitted to publish\s+natspoc\./);
    await order(
      ['p'],
      /Pause p0/,
      /Could not write [\s\S]*override\.0 [\s\S]*not permitted to publish\s+\$KV\./,
    );
    await order(
      ['Tab', 'j', 'x'],
      /Stop guarded/,
      /guarded was not stopped: not permitted to publish\s+natspoc\./,
    );
    await order(
      ['a'],
      /Start a member/,
      /The new member ended after [\s\S]*exit code \d: [\s\S]*not permitted[\s\S]*Its log:/,
    );
    await tmux.shows(/healthy +partitions 8\/8 +members 1/);
  });
});

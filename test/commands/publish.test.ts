import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, DiscardPolicy, type NatsConnection } from 'nats';
import { partitionOf } from '../../src/core/protocol/layout.js';
import { runCli } from '../support/cli.js';
import { startTestServer, withServer } from '../support/server.js';
import { withTempFolder } from '../support/temp.js';
import { until } from '../support/until.js';

const PROGRAM = join(import.meta.dirname, '../../bin/run.js');

interface Run {
  child: ChildProcess;
  /** Grows while the command runs. */
  output: { stdout: string; stderr: string };
  exited: Promise<{ code: number | null; stdout: string; stderr: string }>;
}

/** The fields of a `--json` summary that these tests check. */
interface Summary {
  sent: number;
  confirmed: number;
  failed: number;
  skipped: number;
  stopped: string | null;
}

function summaryOf(stdout: string): Summary {
  const body: unknown = JSON.parse(stdout);
  assert.ok(typeof body === 'object' && body !== null);
  const number = (name: string): number => {
    const value: unknown = Reflect.get(body, name);
    assert.equal(typeof value, 'number', name);
    return Number(value);
  };
  const stopped: unknown = Reflect.get(body, 'stopped');
  assert.ok(stopped === null || typeof stopped === 'string');
  return {
    sent: number('sent'),
    confirmed: number('confirmed'),
    failed: number('failed'),
    skipped: number('skipped'),
    stopped,
  };
}

describe('natspoc publish', function () {
  this.timeout(60_000);
  const server = withServer();
  const temp = withTempFolder();
  const running = new Set<ChildProcess>();
  let connection: NatsConnection;
  let streams = 0;

  before(async () => {
    connection = await connect({ servers: server.url });
  });
  after(() => connection.close());
  afterEach(() => {
    for (const child of running) child.kill('SIGKILL');
  });

  function ownStream(): { stream: string; prefix: string; flags: string[] } {
    const stream = `S${++streams}`;
    const prefix = `test.s${streams}`;
    return { stream, prefix, flags: ['--stream', stream, '--prefix', prefix] };
  }

  /** Starts the command. `input` goes through a pipe. With `open` the pipe stays empty and open. */
  function start(args: string[], options: { input?: string; open?: boolean; url?: string } = {}): Run {
    const piped = options.input !== undefined || options.open === true;
    const child = spawn(process.execPath, [PROGRAM, 'publish', ...args], {
      cwd: temp(),
      env: { PATH: process.env.PATH, HOME: process.env.HOME, NATS_URL: options.url ?? server.url },
      stdio: [piped ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    });
    running.add(child);
    if (options.input !== undefined) child.stdin?.end(options.input);
    // A command that refuses its input may close the pipe.
    child.stdin?.on('error', () => {});
    const output = { stdout: '', stderr: '' };
    child.stdout?.on('data', (data: Buffer) => {
      output.stdout += data.toString();
    });
    child.stderr?.on('data', (data: Buffer) => {
      output.stderr += data.toString();
    });
    const exited = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
      child.once('close', (code) => {
        running.delete(child);
        resolve({ code, ...output });
      });
    });
    return { child, output, exited };
  }
  const publish = (args: string[], options: { input?: string; open?: boolean; url?: string } = {}) =>
    start(args, options).exited;

  async function stored(stream: string) {
    const messages: { partition: number; key: string; data: string; id: string; seq: number }[] = [];
    const manager = await connection.jetstreamManager();
    const { state } = await manager.streams.info(stream);
    for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
      const { subject, data, header } = await manager.streams.getMessage(stream, { seq });
      messages.push({
        partition: Number(subject.split('.').at(-1)),
        key: header.get('Natspoc-Key'),
        id: header.get('Nats-Msg-Id'),
        data: Buffer.from(data).toString(),
        seq,
      });
    }
    return messages;
  }

  async function messageCount(stream: string): Promise<number> {
    const manager = await connection.jetstreamManager();
    return (await manager.streams.info(stream)).state.messages;
  }

  /** Checks that a run ends with this exit code and prints one matching line on stderr. */
  async function refuses(
    run: Promise<{ code: number | null; stderr: string }>,
    code: number,
    pattern: RegExp,
  ) {
    const { code: actual, stderr } = await run;
    assert.match(stderr, pattern);
    assert.equal(stderr.trim().split('\n').length, 1, stderr);
    assert.equal(actual, code, stderr);
  }

  it('publish creates a missing stream, bucket and layout, and sends one message', async () => {
    const { stream, flags } = ownStream();
    const { code, stdout } = await publish([...flags, 'hello']);
    assert.equal(code, 0);
    assert.match(stdout, /^p\d #1 in [\d.]+ (µs|ms|s)\n$/);
    assert.deepEqual(
      (await stored(stream)).map(({ data }) => data),
      ['hello'],
    );
  });

  it('publish sends numbered messages of many keys, each key to its partition, and logs confirmed messages', async () => {
    const { stream, flags } = ownStream();
    const log = join(temp(), 'confirmed.ndjson');
    const args = [
      '--count',
      '200',
      '--keys',
      '10',
      '--confirmed',
      log,
      '--json',
      '--dedupe',
      'order {{Count}}',
    ];
    const { code, stdout, stderr } = await publish([...flags, ...args]);
    assert.deepEqual([code, stderr], [0, '']);
    const { sent, confirmed, failed, stopped } = summaryOf(stdout);
    assert.deepEqual(
      { sent, confirmed, failed, stopped },
      { sent: 200, confirmed: 200, failed: 0, stopped: null },
    );
    const messages = await stored(stream);
    assert.deepEqual(
      messages.map(({ data }) => data),
      Array.from({ length: 200 }, (_, i) => `order ${i + 1}`),
    );
    for (const { key, partition } of messages) assert.equal(partition, partitionOf(key, 8), key);
    assert.equal(new Set(messages.map(({ id }) => id)).size, 200);
    const lines = readFileSync(log, 'utf8').trim().split('\n');
    const expected = messages.map(({ partition, seq: sequence, key, data }) =>
      JSON.stringify({ partition, sequence, key, data }),
    );
    assert.deepEqual(lines, expected);
  });

  it('publish accepts templates in key, id and headers', async () => {
    const { stream, flags } = ownStream();
    const templates = ['--key', 'user-{{Count}}', '--id', 'n{{Count}}', '-H', 'X-Number: {{Count}}'];
    for (let again = 0; again < 2; again++) {
      const { code, stdout } = await publish([...flags, ...templates, '--count', '3', 'x']);
      assert.equal(code, 0);
      assert.equal(/duplicates +3/.test(stdout), again === 1);
    }
    assert.deepEqual(
      (await stored(stream)).map(({ key, id }) => `${key} ${id}`),
      ['user-1 n1', 'user-2 n2', 'user-3 n3'],
    );
    const manager = await connection.jetstreamManager();
    assert.equal((await manager.streams.getMessage(stream, { seq: 2 })).header.get('X-Number'), '2');
  });

  it('publish sends the lines of a pipe and of a file', async () => {
    const { stream, flags } = ownStream();
    const file = join(temp(), 'lines.txt');
    writeFileSync(file, 'three\nfour');
    assert.equal((await publish(flags, { input: 'one\r\n\ntwo\n' })).code, 0);
    assert.equal((await publish([...flags, '--file', file])).code, 0);
    assert.equal((await publish([...flags, '-'], { input: 'five' })).code, 0);
    assert.deepEqual(
      (await stored(stream)).map(({ data }) => data),
      ['one', 'two', 'three', 'four', 'five'],
    );
  });

  it('publish takes keys from lines of JSON, and stops at a bad line or skips it', async () => {
    const { stream, flags } = ownStream();
    const input = '{"user":{"id":"a"}}\n{"user":\n{"user":{"id":7}}\n';
    const stopped = await publish([...flags, '--key-field', 'user.id', '-q'], { input });
    assert.equal(stopped.code, 2);
    assert.match(stopped.stderr, /^Error: Line 2 of stdin is not JSON\. Use --skip-bad-lines/);
    assert.equal(await messageCount(stream), 1);
    const skipped = await publish([...flags, '--key-field', 'user.id', '--skip-bad-lines', '--json'], {
      input,
    });
    assert.equal(skipped.code, 0);
    assert.equal(summaryOf(skipped.stdout).skipped, 1);
    assert.deepEqual(
      (await stored(stream)).map(({ key }) => key),
      ['a', 'a', '7'],
    );
  });

  it('publish reads lines for longer than the limit of a Node timer', async () => {
    const { flags } = ownStream();
    const { code, stdout } = await publish([...flags, '--duration', '30d', '--json'], { input: 'a\nb\nc\n' });
    assert.equal(code, 0);
    assert.equal(summaryOf(stdout).confirmed, 3);
  });

  it('publish refuses DATA together with lines on a pipe, but not together with an empty pipe', async () => {
    const { flags } = ownStream();
    await refuses(publish([...flags, '-q', 'x'], { input: 'line\n' }), 2, /input on a pipe/);
    assert.equal((await publish([...flags, 'x'], { open: true })).code, 0);
    assert.equal((await publish([...flags, 'x'], { input: '' })).code, 0);
  });

  it('publish refuses an invalid request with one line', async () => {
    const wrong: [string[], RegExp][] = [
      [['--count', '0'], /--count: "0" is not/],
      [['--rate', 'fast'], /--rate: "fast" is not a rate/],
      [['--duration', '10'], /--duration: "10" is not/],
      [['--size', 'big'], /--size: "big" is not/],
      [['--size', '1GiB'], /--size: "1GiB" is not a size from 0B to 64MiB, such as 1KiB/],
      [['--partition', '8', 'x'], /no partition 8; use 0 to 7/],
      [['--file', '/nonexistent/lines'], /--file: cannot read \/nonexistent\/lines/],
      [['--file', temp()], /--file: cannot read .*folder/],
      [['--size', '10', 'x'], /DATA and --size exclude each other/],
      [['--key', 'a', '--keys', '3'], /--key and --keys exclude each other/],
      [['--key-skew', '1'], /--key-skew needs --keys/],
      [['--partition', '1', '--key', 'a'], /--partition and --key exclude/],
      [['--key-field', 'a', 'x'], /--key-field takes keys from lines/],
      [['{{Nonsense}}'], /Template \{\{Nonsense\}\}/],
      [['-H', 'no-colon', 'x'], /"no-colon" is not Name:value/],
      [['-H', 'Natspoc-Key: a', 'x'], /set by --key/],
      [['x', '-H', 'a b: c'], /"a b" is not a header name/],
      [['x', '-H', 'a: \u0007'], /value of header a .* cannot travel in a header/],
      [['--key', '', 'x'], /The key is empty/],
      [['--id', 'a\nb {{Count}}', 'x'], /The message id .* cannot travel in a header/],
      [['--confirmed', '/nonexistent/log', 'x'], /--confirmed: cannot write/],
      [['--nonsense'], /Unknown flag --nonsense/],
    ];
    const { stream, flags } = ownStream();
    for (const [args, pattern] of wrong) await refuses(publish([...flags, ...args]), 2, pattern);
    const manager = await connection.jetstreamManager();
    for (const name of [stream, `KV_${stream}_leases`]) {
      await assert.rejects(manager.streams.info(name), /stream not found/, `${name} was not created`);
    }
  });

  it('publish uses the partitions of an existing layout, whatever the settings are', async () => {
    const { stream, flags } = ownStream();
    assert.equal((await publish([...flags, '--partitions', '12', 'x'])).code, 0);
    assert.equal((await publish([...flags, '--partition', '11', 'x'])).code, 0);
    await refuses(publish([...flags, '--partition', '12', 'x']), 2, /no partition 12; use 0 to 11/);
    // The stream is deleted. The bucket still holds a group's layout and positions.
    const consume = ['consume', ...flags, '--output', 'none', '--until-caught-up', '--server', server.url];
    assert.equal((await runCli(consume)).code, 0);
    await (await connection.jetstreamManager()).streams.delete(stream);
    assert.equal((await publish([...flags, '--partition', '11', 'x'])).code, 0);
  });

  it('a publish that is refused keeps the log of confirmed messages of an earlier run', async () => {
    const { flags } = ownStream();
    const log = join(temp(), 'confirmed.ndjson');
    assert.equal((await publish([...flags, '--confirmed', log, 'first'])).code, 0);
    const before = readFileSync(log, 'utf8');
    assert.match(before, /"first"/);
    await refuses(publish([...flags, '--confirmed', log, '--partition', '8', 'x']), 2, /no partition 8/);
    assert.equal(readFileSync(log, 'utf8'), before);
    assert.equal((await publish([...flags, '--confirmed', log, 'second'])).code, 0);
    assert.match(readFileSync(log, 'utf8'), /^.*"second".*\n$/);
  });

  it("publish refuses a layout that differs from the stream's layout, and the error names both numbers", async () => {
    const { flags } = ownStream();
    assert.equal((await publish([...flags, '--partitions', '4', 'x'])).code, 0);
    await refuses(
      publish([...flags, '--partitions', '6', 'x']),
      4,
      /has 4 partitions, but --partitions is 6/,
    );
  });

  it("publish stops at a full stream with the server's reason, or with --keep-going continues and counts the failed messages", async () => {
    const { stream, prefix, flags } = ownStream();
    const manager = await connection.jetstreamManager();
    await manager.streams.add({
      name: stream,
      subjects: [`${prefix}.p.*`],
      max_msgs: 5,
      discard: DiscardPolicy.New,
    });
    const { code, stderr } = await publish([...flags, '--count', '8', '--max-pending', '1', '-q', 'x']);
    assert.equal(code, 4);
    assert.match(
      stderr,
      /^Error: test\.s\d+\.p\.5: maximum messages exceeded \(\d+\)\. The stream is full: .*trim.*\. \(1 not confirmed: 1 not stored, 0 unknown\)\n$/,
    );
    const goneOn = await publish([...flags, '--count', '8', '--keep-going', '--json', 'x']);
    assert.equal(goneOn.code, 4);
    assert.equal(summaryOf(goneOn.stdout).failed, 8);
  });

  it('publish refuses messages that are larger than the server accepts, before it creates anything', async () => {
    const small = await startTestServer({ config: 'max_payload: 2048' });
    const client = await connect({ servers: small.url });
    try {
      const { stream, flags } = ownStream();
      const { url } = small;
      const padding = 'x'.repeat(2_030);
      for (const [args, bytes] of [
        [['--size', '2KiB', '--keys', '10'], 2080],
        [['--size', '2KiB', '--dedupe'], 2089],
        [['--size', '2KiB', '--id', 'i{{Count}}'], 2077],
        [[`${padding}{{Random 19 19}}`], 2049],
        [['--key', padding], 2064],
        [['-H', `X: ${padding}`, '--count', '3'], 2054],
      ] as const) {
        const line = new RegExp(
          `^Error: A message of ${bytes} bytes, headers included, is larger than the server's max_payload of 2048 bytes\\.\\n$`,
        );
        await refuses(publish([...flags, ...args, '-q'], { url }), 2, line);
      }
      const manager = await client.jetstreamManager();
      for (const name of [stream, `KV_${stream}_leases`]) {
        await assert.rejects(manager.streams.info(name), /stream not found/, `${name} was not created`);
      }
      assert.equal((await publish([...flags, '--size', '2KiB', '-q'], { url })).code, 0);
    } finally {
      await client.close();
      await small.stop();
    }
  });

  it('publish names the input line that is too long, and the confirmed messages before it', async () => {
    const { stream, flags } = ownStream();
    const input = `one\n\ntwo\n${'x'.repeat(2_000_000)}\nthree\n`;
    const line =
      "Line 4 of stdin: a message of 2000000 bytes, headers included, is larger than the server's max_payload of 1048576 bytes. (1 not confirmed: 1 not stored, 0 unknown)";
    const stopped = await publish([...flags, '-q'], { input });
    assert.equal(stopped.code, 4);
    assert.equal(stopped.stderr, `Error: ${line}\n`);
    assert.match(stopped.stdout, /sent +3\n +confirmed +2\n +rejected +1 /);
    const goneOn = await publish([...flags, '--keep-going', '--json'], { input });
    assert.equal(goneOn.code, 4);
    assert.deepEqual(
      [summaryOf(goneOn.stdout).confirmed, JSON.parse(goneOn.stdout).error.message],
      [3, line],
    );
    assert.equal(await messageCount(stream), 5);
    const endless = await publish([...flags, '-q'], { input: `one\n${'x'.repeat(65 * 1024 * 1024)}\n` });
    assert.equal(endless.code, 1);
    assert.equal(endless.stderr, 'Error: Line 2 of stdin is longer than 64 MiB.\n');
    assert.match(endless.stdout, /sent +1\n +confirmed +1\n/);
    const silent = await publish([...flags, '-q', '--count', '2']);
    assert.deepEqual([silent.code, silent.stdout, silent.stderr], [0, '', '']);
  });

  it('publish ends with exit code 3 if there is no server, and names the URL', async () => {
    await refuses(publish(['x'], { url: 'nats://127.0.0.1:9' }), 3, /127\.0\.0\.1:9/);
  });

  it('publish reports in one line that its result cannot be written', async () => {
    const { flags } = ownStream();
    const full = openSync('/dev/full', 'w');
    try {
      const child = spawn(process.execPath, [PROGRAM, 'publish', ...flags, '-q', 'x'], {
        env: { PATH: process.env.PATH, NATS_URL: server.url },
        stdio: ['ignore', full, 'pipe'],
      });
      let stderr = '';
      child.stderr?.on('data', (data: Buffer) => {
        stderr += data.toString();
      });
      const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
      assert.equal(code, 1, stderr);
      assert.match(
        stderr,
        /^Error: Cannot write to standard output: no space left on device \(ENOSPC\)\.\n$/,
      );
    } finally {
      closeSync(full);
    }
  });

  it('publish ends after its duration although its pipe is silent', async () => {
    const { flags } = ownStream();
    const { code, stdout } = await publish([...flags, '--duration', '100ms', '--json'], { open: true });
    assert.equal(code, 0);
    assert.deepEqual(summaryOf(stdout), { sent: 0, confirmed: 0, failed: 0, skipped: 0, stopped: null });
  });

  it('publish keeps a rate, and ends with exit code 0 at Ctrl-C when all messages are confirmed', async () => {
    const { stream, flags } = ownStream();
    const run = start([...flags, '--rate', '200', '--json']);
    await waitForMessages(stream, 50);
    run.child.kill('SIGINT');
    const { code, stdout } = await run.exited;
    assert.equal(code, 0, stdout);
    const { sent, confirmed, stopped } = summaryOf(stdout);
    assert.deepEqual([confirmed, stopped], [sent, 'signal']);
    assert.equal(await messageCount(stream), confirmed);
  });

  it('publish ends with exit code 1 at Ctrl-C when the server does not answer, and counts the messages of unknown outcome', async () => {
    const { stream, flags } = ownStream();
    const run = start([...flags, '--duration', '1m', '--timeout', '1s', '-q', '--max-pending', '50']);
    await waitForMessages(stream, 50);
    // At full speed the window is always full, so some messages are in flight now.
    await server.suspend();
    try {
      run.child.kill('SIGINT');
      const { code, stderr } = await run.exited;
      assert.equal(code, 1, stderr);
      assert.match(stderr, /^Error: Stopped with \d+ not confirmed: 0 not stored, [1-9]\d* unknown\.\n$/);
    } finally {
      server.resume();
    }
  });

  async function waitForMessages(stream: string, count: number): Promise<void> {
    let held = 0;
    const poll = setInterval(() => {
      messageCount(stream).then(
        (messages) => {
          held = messages;
        },
        () => {},
      );
    }, 20);
    try {
      await until(`${stream} holds ${count} messages`, () => held >= count);
    } finally {
      clearInterval(poll);
    }
  }
});

describe('natspoc publish after its server is gone', () => {
  const server = withServer();

  it('publish ends with exit code 3 if the server is gone for longer than the timeout', async function () {
    this.timeout(60_000);
    const args = ['--rate', '500', '--timeout', '1s', '-q'];
    const child = spawn(process.execPath, [PROGRAM, 'publish', ...args], {
      env: { PATH: process.env.PATH, NATS_URL: server.url },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stderr = '';
    child.stderr.on('data', (data: Buffer) => {
      stderr += data.toString();
    });
    const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
    const connection = await connect({ servers: server.url, reconnect: false });
    let seen = 0;
    connection.subscribe('subject.events.p.*', { callback: () => seen++ });
    await until('messages flow', () => seen > 100);
    await connection.close();
    await server.kill();
    assert.equal(await exited, 3, stderr);
    assert.match(stderr, /is gone, .* within 1000 ms\. \(\d+ not confirmed: \d+ not stored, \d+ unknown\)/);
  });
});

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isRunning } from '../../src/local/server/process.js';
import { type Cli, type CliExit, runCli, startCli, stopAll, takenOver } from '../support/cli.js';
import { withPlace } from '../support/place.js';
import { renewed } from '../support/renewals.js';
import { withServer } from '../support/server.js';
import { withTempFolder } from '../support/temp.js';
import { until } from '../support/until.js';

const ENTRY = fileURLToPath(new URL('../../bin/run.js', import.meta.url));

interface Line {
  partition: number;
  sequence: number;
  key: string | null;
  data: string;
}

const parse = (lines: string): Line[] =>
  lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
const numbers = (lines: string): number[] =>
  parse(lines)
    .map(({ data }) => Number(data))
    .sort((a, b) => a - b);
const range = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

/** A handler that prints a line when it gets a message, and never ends. */
const NEVER = `export default (message, { log }) => {
  log.info('running');
  return new Promise(() => {});
};`;

/** A handler that keeps its process running after the first message. `result` is what it returns. */
const busy = (result: string): string => `export default () => {
  setInterval(() => {}, 1_000);
  return ${result};
};`;

describe('natspoc consume', function () {
  this.timeout(60_000);
  const server = withServer();
  const folder = withTempFolder();
  const place = withPlace(server, 'C');
  afterEach(stopAll);

  /** Publishes the numbers 1 to `count` with ten keys. */
  const publish = async (count: number, ...args: string[]) => {
    const exit = await runCli([
      'publish',
      '{{Count}}',
      '--count',
      String(count),
      '--keys',
      '10',
      '-q',
      ...place(),
      ...args,
    ]);
    assert.equal(exit.code, 0, exit.stderr);
  };
  const consume = (...args: string[]): Promise<CliExit> => runCli(['consume', ...place(), ...args]);
  const start = (...args: string[]): Cli => startCli(['consume', ...place(), ...args]);
  const rest = async (...args: string[]) => {
    const exit = await consume('--until-caught-up', '--output', 'ndjson', ...args);
    assert.equal(exit.code, 0, exit.stderr);
    return exit;
  };
  const file = (name: string, text: string): string => {
    const path = join(folder(), name);
    writeFileSync(path, text);
    return path;
  };

  describe('the end of consume', () => {
    it('consume ends when it has caught up, and continues from there when it is started again', async () => {
      await publish(50);
      assert.deepEqual(numbers((await rest()).stdout), range(1, 50));
      assert.equal((await rest()).stdout, '');
      await publish(3);
      assert.deepEqual(numbers((await rest()).stdout), [1, 2, 3]);
    });

    it('consume ends after exactly the requested number of messages over all partitions', async () => {
      await publish(100);
      const first = await consume('--count', '7', '--output', 'ndjson');
      assert.equal(first.code, 0, first.stderr);
      assert.equal(parse(first.stdout).length, 7);
      const second = await rest();
      assert.deepEqual(numbers(`${first.stdout}\n${second.stdout}`), range(1, 100), 'none repeated or lost');
    });

    it('consume ends after the given duration', async () => {
      const exit = await consume('--duration', '300ms');
      assert.equal(exit.code, 0, exit.stderr);
    });

    it('consume leaves cleanly when the reader of its pipe is gone', async () => {
      await publish(2_000);
      const command = `"${process.execPath}" "${ENTRY}" consume ${place().join(' ')} --output ndjson | head -3; exit $((\${PIPESTATUS[0]}))`;
      const child = spawn('bash', ['-c', command], { stdio: ['ignore', 'pipe', 'pipe'] });
      let [stdout, stderr] = ['', ''];
      child.stdout.on('data', (chunk) => {
        stdout += chunk;
      });
      child.stderr.on('data', (chunk) => {
        stderr += chunk;
      });
      const [code] = await once(child, 'close');
      assert.equal(code, 0, stderr);
      assert.equal(parse(stdout).length, 3);
      assert.match(stderr, /left after/);
      assert.doesNotMatch(stderr, /halted|failed|Error/);
    });

    it('consume finishes running messages at SIGTERM, commits, and repeats nothing', async () => {
      await publish(200);
      const cli = start('--work', '5ms', '--output', 'ndjson');
      await until('some messages are handled', () => cli.stdout.length >= 20);
      cli.signal('SIGTERM');
      const exit = await cli.exited;
      assert.equal(exit.code, 0, exit.stderr);
      const { stdout } = await rest();
      assert.deepEqual(numbers(`${exit.stdout}\n${stdout}`), range(1, 200));
    });

    it('consume ends immediately at the second signal', async () => {
      await publish(1);
      const cli = start('--handler', file('never.mjs', NEVER), '--drain-timeout', '1h');
      await cli.note(/running/);
      cli.signal('SIGINT');
      await cli.note(/released p/);
      cli.signal('SIGINT');
      const exit = await cli.exited;
      assert.equal(exit.code, 130);
    });

    it('consume ends without waiting for a handler that never returns, and does not commit its message', async () => {
      await publish(1);
      const cli = start('--handler', file('never.mjs', NEVER), '--drain-timeout', '300ms');
      await cli.note(/running/);
      cli.signal('SIGTERM');
      const exit = await cli.exited;
      assert.equal(exit.code, 0, exit.stderr);
      assert.match(exit.stderr, /message 1 did not finish within 300 ms/);
      assert.deepEqual(numbers((await rest()).stdout), [1]);
    });

    it('consume ends its process after a job although a handler hangs on a timer or a socket', async () => {
      await publish(1);
      const handler = file('hangs.mjs', busy('new Promise(() => {})'));
      const exit = await consume('--handler', handler, '--duration', '2s', '--drain-timeout', '300ms');
      assert.equal(exit.code, 0, exit.stderr);
      assert.match(exit.stderr, /message 1 did not finish within 300 ms; the next owner handles it again/);
    });

    it('consume ends its process although the module of a handler keeps a timer or a connection', async () => {
      await publish(1);
      const exit = await consume('--handler', file('keeps.mjs', busy('undefined')), '--until-caught-up');
      assert.equal(exit.code, 0, exit.stderr);
    });

    it('a signal after a member has left ends its process with the exit code of the job', async () => {
      await publish(1);
      const cli = start('--handler', file('keeps.mjs', busy('undefined')), '--until-caught-up');
      await cli.note(/left after 1 message/);
      cli.signal('SIGTERM');
      const exit = await cli.exited;
      assert.equal(exit.code, 0, exit.stderr);
      assert.doesNotMatch(exit.stderr, /leaving/);
    });

    it('consume waits for the exit hooks of the module of a handler', async () => {
      await publish(1);
      const hook = `export default () => {};
process.once('beforeExit', () => setTimeout(() => console.error('flushed'), 1_500));`;
      const exit = await consume('--handler', file('hook.mjs', hook), '--until-caught-up');
      assert.equal(exit.code, 0, exit.stderr);
      assert.match(exit.stderr, /flushed/);
    });
  });

  describe('the start of a new group', () => {
    for (const [from, expected] of [
      ['first', range(1, 20)],
      ['seq:16', range(16, 20)],
      ['new', []],
      ['time:2000-01-01T00:00:00Z', range(1, 20)],
      ['time:2100-01-01T00:00:00Z', []],
    ] as const) {
      it(`a new group starts from ${from}`, async () => {
        await publish(20);
        assert.deepEqual(numbers((await rest('--from', from)).stdout), expected);
      });
    }
  });

  it('consume reports that it has created the stream, because the name may be mistyped', async () => {
    const first = await rest();
    assert.match(first.stderr, /^created stream \w+, because there was none of this name$/m);
    assert.doesNotMatch((await rest('--group', 'other')).stderr, /created stream/);
  });

  it('consume reports the number of messages that were dropped before they were handled', async () => {
    await publish(20, '--partitions', '1');
    await consume('--count', '5', '--output', 'none');
    await purge(server.url, place()[3] ?? '', 13);
    const exit = await rest();
    assert.match(exit.stderr, /lost in p0: at most 7 messages of sequences 6 to 12/);
    assert.equal(parse(exit.stdout)[0]?.sequence, 13);
  });

  describe('a failed message', () => {
    const failing = 'export default ({ sequence }) => { if (sequence === 4) throw new Error("four"); };';

    it('consume halts the partition before a failed message, and other partitions continue', async () => {
      await publish(40);
      const handler = file('h.mjs', failing);
      const exit = await consume(
        '--handler',
        handler,
        '--until-caught-up',
        '--output',
        'ndjson',
        '--backoff',
        '1ms',
      );
      assert.equal(exit.code, 1, exit.stderr);
      assert.match(exit.stderr, /attempt 2 failed \(retry\): four/);
      assert.match(exit.stderr, /halted p\d: message 4 failed 3 times: four/);
      assert.match(exit.stderr, /^Error: Gave up p\d: message 4 failed 3 times: four\.$/m);
      const next = await rest();
      assert.equal(Math.min(...parse(next.stdout).map(({ sequence }) => sequence)), 4);
      assert.deepEqual(numbers(`${exit.stdout}\n${next.stdout}`), range(1, 40));
    });

    it('consume ends with exit code 0 if a pause and a resume have started the halted partition again', async () => {
      await publish(40);
      const cure = join(folder(), 'cured');
      const handler = file(
        'h.mjs',
        `import { existsSync } from 'node:fs';
        export default ({ sequence }) => {
          if (sequence === 4 && !existsSync(${JSON.stringify(cure)})) throw new Error('four');
        };`,
      );
      const running = start('--handler', handler, '--backoff', '1ms');
      const [, partition = ''] = /halted p(\d)/.exec(await running.note(/halted p\d: message 4 /)) ?? [];
      writeFileSync(cure, '');
      for (const change of ['pause', 'resume']) {
        const exit = await runCli(['leases', change, partition, ...place()]);
        assert.equal(exit.code, 0, exit.stderr);
      }
      await running.note(new RegExp(`p${partition} was resumed`));
      running.signal('SIGTERM');
      const exit = await running.exited;
      assert.equal(exit.code, 0, exit.stderr);
    });

    it('consume skips a failed message with --on-failure skip', async () => {
      await publish(40);
      const handler = file('h.mjs', failing);
      const exit = await consume(
        ...['--handler', handler, '--until-caught-up', '--on-failure', 'skip', '--backoff', '1ms'],
      );
      assert.equal(exit.code, 0, exit.stderr);
      assert.match(exit.stderr, /message 4, attempt 3 failed \(skip\): four/);
      assert.equal((await rest()).stdout, '');
    });

    it('consume stores a failed message as a dead letter, which can be put back', async () => {
      await publish(40);
      const handler = file('h.mjs', failing);
      const exit = await consume(
        ...['--handler', handler, '--until-caught-up', '--on-failure', 'dead-letter', '--backoff', '1ms'],
      );
      assert.equal(exit.code, 0, exit.stderr);
      const list = await runCli(['stream', 'redrive', '--dry-run', '--json', ...place()]);
      const letter = JSON.parse(list.stdout) as Record<string, unknown>;
      assert.deepEqual(
        [letter.sequence, letter.attempts, letter.error, letter.group, letter.key],
        [4, 3, 'four', 'default', 'key-3'],
      );
      const back = await runCli(['stream', 'redrive', ...place()]);
      assert.equal(back.stdout, '1 put back', back.stderr);
      const [line, ...others] = parse((await rest()).stdout);
      assert.deepEqual(others, []);
      assert.deepEqual([line?.data, line?.key, line?.partition], ['4', 'key-3', letter.partition]);
      const again = await runCli(['stream', 'redrive', ...place()]);
      assert.equal(again.stdout, '0 put back: there are no dead letters', again.stderr);
    });

    it('redrive reports that there are no dead letters to put back, and exits with 0', async () => {
      await publish(1);
      const back = await runCli(['stream', 'redrive', ...place()]);
      assert.deepEqual([back.code, back.stdout], [0, '0 put back: there are no dead letters'], back.stderr);
      const list = await runCli(['stream', 'redrive', '--dry-run', ...place()]);
      assert.deepEqual([list.code, list.stdout, list.stderr], [0, '', 'no dead letters']);
    });

    it('a message fails if its handler takes too long', async () => {
      await publish(1);
      const handler = file('never.mjs', 'export default () => new Promise(() => {});');
      const exit = await consume(
        '--handler',
        handler,
        '--handler-timeout',
        '50ms',
        '--max-attempts',
        '1',
        '--until-caught-up',
      );
      assert.equal(exit.code, 1);
      assert.match(exit.stderr, /message 1 failed: no result within 50 ms/);
    });

    it('a message fails because of a rejected promise that its handler did not await', async () => {
      await publish(1);
      const handler = file(
        'h.mjs',
        'export default async () => { Promise.reject(new Error("forgotten")); };',
      );
      const exit = await consume('--handler', handler, '--max-attempts', '1', '--until-caught-up');
      assert.equal(exit.code, 1);
      assert.match(exit.stderr, /message 1 failed: forgotten/);
      assert.deepEqual(numbers((await rest()).stdout), [1]);
    });
  });

  describe('an uncaught error', () => {
    const TIMER = 'setTimeout(() => { throw new Error("stray"); }, 50)';
    const LATER = 'setTimeout(() => { throw new Error("stray"); }, 1_500)';
    for (const [what, text] of [
      ['of a timer that a handler has left behind', `export default () => { ${TIMER}; };`],
      ['of a timer of the module', `${LATER}; export default () => {};`],
      [
        'of a promise of the module',
        'setTimeout(() => Promise.reject(new Error("stray")), 1_500); export default () => {};',
      ],
    ] as const) {
      it(`an uncaught error ${what} makes the member leave, and is reported in one line`, async () => {
        await publish(1);
        const exit = await consume('--handler', file('h.mjs', text));
        assert.equal(exit.code, 1);
        assert.match(exit.stderr, /released p0/);
        assert.match(exit.stderr, /^Error: The handler has stopped: nothing caught its error: stray\.$/m);
        assert.doesNotMatch(exit.stderr, /^\s+at /m);
        assert.equal((await rest()).stdout, '', 'all handled messages are committed');
      });
    }

    it('an uncaught error while a message runs is a failure of that message', async () => {
      await publish(1);
      const handler = file('h.mjs', `export default () => new Promise(() => { ${TIMER}; });`);
      const exit = await consume('--handler', handler, '--max-attempts', '2', '--until-caught-up');
      assert.equal(exit.code, 1);
      assert.match(exit.stderr, /message 1 failed 2 times: stray/);
    });

    it('an uncaught error is reported in one line even before the member has joined', async () => {
      const handler = file('h.mjs', `${TIMER}; await new Promise(() => setTimeout(() => {}, 10_000));`);
      const exit = await consume('--handler', handler);
      assert.deepEqual([exit.code, exit.stderr], [1, 'Error: stray']);
    });
  });

  describe('consume --handler', () => {
    it("consume --handler accepts a TypeScript handler, and names the message in the handler's log lines", async () => {
      await publish(1);
      const handler = file(
        'h.ts',
        `interface Context { key: string | null; log: { info(text: string): void } }
         export default async (message: { data: Uint8Array }, { key, log }: Context): Promise<void> => {
           log.info(\`\${Buffer.from(message.data)} of \${key}\`);
         };`,
      );
      const exit = await consume('--handler', handler, '--until-caught-up');
      assert.equal(exit.code, 0, exit.stderr);
      assert.match(exit.stderr, /^p\d #1: 1 of key-0$/m);
      assert.equal(exit.stdout, '', 'consume prints no line of its own');
    });

    /** Exit code 2 tells a supervisor not to restart the member. A module that throws gets 1: its next start may succeed. */
    for (const [name, text, code, pattern] of [
      ['bad.mjs', 'export default () => {\n  const x = ;\n};', 2, /syntax error: .*bad\.mjs:2/],
      ['bad.ts', 'export default (): void => {\n  const x = ;\n};', 2, /syntax error: .*bad\.ts:2/],
      ['none.mjs', 'export const x = 1;', 2, /exports no handler/],
      ['import.mjs', 'import "./nowhere.mjs";', 2, /cannot be loaded: Cannot find module/],
      ['import.ts', 'import "./nowhere.js";', 2, /cannot be loaded: Cannot find module/],
      ['throws.mjs', 'throw new Error("no settings");', 1, /cannot be loaded: no settings/],
      ['json.mjs', 'JSON.parse("<html>");', 1, /cannot be loaded: Unexpected token/],
    ] as const) {
      it(`consume --handler refuses ${name} in one line, before the member takes a partition`, async () => {
        const exit = await consume('--handler', file(name, text));
        assert.equal(exit.code, code);
        assert.match(exit.stderr, pattern);
        assert.equal(exit.stderr.split('\n').length, 1);
      });
    }

    it('consume --handler refuses a missing file', async () => {
      const exit = await consume('--handler', 'nowhere.ts');
      assert.equal(exit.code, 2);
      assert.match(exit.stderr, /there is no file nowhere\.ts/);
    });
  });

  describe('invalid flags of consume', () => {
    for (const [args, line] of [
      [
        ['--json', '--output', 'text'],
        /--json and --output text exclude each other: leave one of them out\./,
      ],
      [
        ['--json', '--exec', 'cat'],
        /--json and --exec exclude each other: the output of the command goes to stdout /,
      ],
      [['--exec', ' '], /--exec: the command is empty\./],
      [['--handler', '/no/such/file.mjs'], /--handler: there is no file \/no\/such\/file\.mjs\./],
    ] as const) {
      it(`consume refuses ${args.join(' ')} before anything is created`, async () => {
        const exit = await consume(...args);
        assert.equal(exit.code, 2, exit.stderr);
        assert.match(args[0] === '--json' ? exit.stdout : exit.stderr, line);
        assert.equal(`${exit.stdout}${exit.stderr}`.split('\n').length, 1);
        const info = await runCli(['stream', ...place()]);
        assert.match(info.stderr, /There is no stream/);
      });
    }
  });

  it('consume --json prints one object per line', async () => {
    await publish(3);
    const exit = await consume('--json', '--until-caught-up');
    assert.equal(exit.code, 0, exit.stderr);
    assert.deepEqual(numbers(exit.stdout), [1, 2, 3]);
  });

  describe('consume --exec', () => {
    it("consume --exec passes the payload on standard input and other values in the environment, and prints the command's output", async () => {
      await publish(1);
      const command = 'echo "$(cat) $NATSPOC_SEQ $NATSPOC_KEY $NATSPOC_ATTEMPT $NATSPOC_SUBJECT"';
      const exit = await consume('--exec', command, '--until-caught-up');
      assert.equal(exit.code, 0, exit.stderr);
      assert.match(exit.stdout, new RegExp(`^1 1 key-0 1 ${place()[5]}\\.p\\.\\d$`));
    });

    it('consume --exec prints the output of a command byte by byte if it is not text', async () => {
      await publish(1);
      const cli = start('--exec', "printf '\\037\\213\\377\\000'", '--until-caught-up');
      const chunks: Buffer[] = [];
      cli.child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
      const exit = await cli.exited;
      assert.equal(exit.code, 0, exit.stderr);
      assert.equal(Buffer.concat(chunks).toString('hex'), '1f8bff00');
    });

    it('consume --exec prints no output of a run that failed', async () => {
      await publish(1);
      const command = 'echo half; test "$NATSPOC_ATTEMPT" -eq 2';
      const exit = await consume('--exec', command, '--until-caught-up', '--backoff', '1ms');
      assert.equal(exit.code, 0, exit.stderr);
      assert.equal(exit.stdout, 'half');
      assert.match(exit.stderr, /attempt 1 failed \(retry\): the command ended with exit code 1/);
    });

    it('consume --exec does not count a command that cannot be run as a failure of the message', async () => {
      await publish(1);
      const exit = await consume('--exec', 'no-such-command', '--on-failure', 'skip');
      assert.equal(exit.code, 1);
      assert.match(
        exit.stderr,
        /^Error: The handler has stopped: the command cannot be run \(exit code 127\)/m,
      );
      assert.deepEqual(numbers((await rest()).stdout), [1]);
    });

    it("consume --exec ends a command that takes too long, and the command's children", async () => {
      await publish(1);
      const [pids, survivor] = [file('pids', ''), join(folder(), 'survivor')];
      const child = file('child.sh', `echo $$ >> '${pids}'; sleep 3; touch '${survivor}'`);
      // On a busy machine the timeout may pass before the child has started. The test checks the first child that does start.
      const flags = ['--handler-timeout', '100ms', '--max-attempts', '1000', '--backoff', '1ms'];
      const cli = start('--exec', `sh '${child}' & wait`, ...flags);
      let pid = 0;
      await until('a child process has started', () => {
        pid = Number(/^(\d+)\n/.exec(readFileSync(pids, 'utf8'))?.[1] ?? 0);
        return pid > 0;
      });
      await until('the child process has ended', () => !isRunning(pid));
      assert.equal(existsSync(survivor), false, 'the child process was not ended');
      await cli.note(/attempt \d+ failed \(retry\): no result within 100 ms/);
    });
  });

  it('a member keeps its partitions, and uses little memory, while its output is not read', async () => {
    const published = await runCli(['publish', '--count', '30000', '--size', '1KiB', '-q', ...place()]);
    assert.equal(published.code, 0, published.stderr);
    const child = spawn(
      process.execPath,
      [ENTRY, 'consume', ...place(), '--name', 'unread', '--ttl', '1s', '--output', 'ndjson'],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    try {
      await until(
        'the member has taken all partitions over',
        () => stderr.split('\n').flatMap(takenOver).length === 8,
        20_000,
      );
      // The member renews three times per ttl.
      await renewed({ servers: server.url }, place()[3] ?? '', 'unread', 12);
      assert.doesNotMatch(stderr, /lost|could not renew|fenced/);
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      const residentKb = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]);
      assert.ok(residentKb < 200_000, `${residentKb} kB resident`);
      child.stdout.resume();
      child.kill('SIGTERM');
      const [code] = await once(child, 'exit');
      assert.equal(code, 0, stderr);
    } finally {
      child.kill('SIGKILL');
    }
  });

  describe('consume --health-port', () => {
    it('consume --health-port serves health, readiness and metrics on the loopback address', async () => {
      await publish(20);
      const handler = file(
        'h.mjs',
        'export default ({ sequence }) => { if (sequence === 4) throw new Error("four"); };',
      );
      const cli = start('--handler', handler, '--max-attempts', '1', '--health-port', '0');
      const url = (await cli.note(/health checks and metrics at/)).split(' ').at(-1) ?? '';
      assert.match(url, /^http:\/\/127\.0\.0\.1:\d+$/);
      await cli.note(/halted p\d/);
      await cli.tookOver(8);
      const get = async (path: string) => {
        const response = await fetch(url + path);
        return { status: response.status, text: await response.text() };
      };
      for (const path of ['/livez', '/healthz'])
        assert.deepEqual(await get(path), { status: 200, text: 'ok\n' });
      const ready = await get('/readyz');
      assert.equal(ready.status, 503);
      assert.match(ready.text, /^p\d is halted for .* at message \d+ .*"leases retry \d" tries it now.*\n$/);
      const { text } = await get('/metrics');
      assert.match(text, /^natspoc_partitions_owned\{.*group="default".*\} 8$/m);
      assert.match(text, /^natspoc_attempts_failed_total\{.*\} 1$/m);
      assert.match(text, /^natspoc_handler_duration_seconds_count\{.*\} [1-9]\d*$/m);
      assert.equal((await get('/elsewhere')).status, 404);
      cli.signal('SIGTERM');
      assert.equal((await cli.exited).code, 1, 'a partition is halted');
    });

    it('consume --health-port reports that the port is in use', async () => {
      const port = String(server.port);
      const exit = await consume('--health-port', port);
      assert.equal(exit.code, 2);
      assert.match(exit.stderr, new RegExp(`Cannot listen on 127\\.0\\.0\\.1:${port}`));
    });
  });
});

/** Drops all messages before a sequence, as a stream's limits do. */
async function purge(url: string, stream: string, before: number): Promise<void> {
  const { connect } = await import('nats');
  const connection = await connect({ servers: url });
  const manager = await connection.jetstreamManager();
  await manager.streams.purge(stream, { seq: before });
  await connection.close();
}

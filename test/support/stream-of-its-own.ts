import assert from 'node:assert/strict';
import { type CliExit, runCli } from './cli.js';
import type { TestServer } from './server.js';

/** Runs commands on the stream of the current test. Each test of the suite has its own stream. */
export interface OwnStream {
  readonly name: string;
  env(): Record<string, string>;
  natspoc(...args: string[]): Promise<CliExit>;
  /** Returns a command's output. Fails unless its exit code is 0. */
  ok(...args: string[]): Promise<string>;
  /** Fails unless a command exits with this code and writes this to stderr. */
  refused(code: number, pattern: RegExp, ...args: string[]): Promise<void>;
}

/** Creates the stream of each test, named by this letter and a number. Call this inside `describe`. */
export function withOwnStream(server: Pick<TestServer, 'url'>, letter: string): OwnStream {
  let streams = 0;
  let name = '';
  beforeEach(() => {
    name = `${letter}${++streams}`;
  });
  const env = () => ({ NATS_URL: server.url, STREAM_NAME: name, SUBJECT_PREFIX: `${name}.events` });
  const natspoc = (...args: string[]) => runCli(args, { env: env() });
  return {
    get name() {
      return name;
    },
    env,
    natspoc,
    async ok(...args) {
      const { code, stdout, stderr } = await natspoc(...args);
      assert.equal(code, 0, `${args.join(' ')}: ${stderr}${stdout}`);
      return stdout;
    },
    async refused(code, pattern, ...args) {
      const exit = await natspoc(...args);
      assert.equal(exit.code, code, `${args.join(' ')}: ${exit.stderr}${exit.stdout}`);
      assert.match(exit.stderr, pattern);
    },
  };
}

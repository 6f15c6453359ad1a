import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withServer } from '../support/server.js';
import { until } from '../support/until.js';
import { type Block, blocksOf, inProject } from './blocks.js';

/** Readers copy the blocks of these documents into a shell. */
const DOCUMENTS = ['README.md', 'docs/operations.md', 'docs/library.md', 'docs/performance.md'];
const FIXTURES = inProject('test/fixtures/documents');
const BLOCK_TIMEOUT_MS = 180_000;

/**
 * How a shell block is treated, by the comment above it:
 *
 *     <!-- not run: REASON -->                      the block is not run
 *     <!-- terminals -->                            each line runs in its own terminal, started one after the other;
 *                                                   all end with Ctrl-C and exit code 0
 *     <!-- exits N: REASON -->                      the last command ends with exit code N
 *     no comment                                    the block is one script that has to end with exit code 0
 */
type Plan = { kind: 'skip' } | { kind: 'terminals' } | { kind: 'script'; code: number };

function planOf({ note, where }: Block): Plan {
  if (note === undefined) return { kind: 'script', code: 0 };
  if (note === 'terminals') return { kind: 'terminals' };
  if (/^not run: \S/.test(note)) return { kind: 'skip' };
  const code = /^exits (\d+): \S/.exec(note)?.[1];
  assert.ok(code, `${where}: unknown comment "${note}" above a shell block`);
  return { kind: 'script', code: Number(code) };
}

/** The lines of a block that are commands. */
const commandsOf = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
    .filter((line) => line !== '');

/** A reader's environment: a folder with only the files that the documents mention, and `natspoc` on the PATH. */
class Place {
  readonly folder = mkdtempSync(join(tmpdir(), 'natspoc-docs-'));
  readonly #env: Record<string, string>;
  readonly #running: ChildProcess[] = [];

  constructor(url: string) {
    const bin = join(this.folder, '.bin');
    mkdirSync(bin);
    const shim = `#!/bin/sh\nexec "${process.execPath}" "${inProject('bin/run.js')}" "$@"\n`;
    writeFileSync(join(bin, 'natspoc'), shim, { mode: 0o755 });
    for (const file of readdirSync(FIXTURES)) {
      copyFileSync(join(FIXTURES, file), join(this.folder, file));
      chmodSync(join(this.folder, file), 0o755);
    }
    const path = `${bin}:${process.env.PATH}`;
    this.#env = { PATH: path, HOME: this.folder, NATS_URL: url, TERM: 'dumb' };
  }

  start(command: string) {
    const child = spawn('bash', ['-euo', 'pipefail', '-c', command], {
      cwd: this.folder,
      env: this.#env,
      stdio: ['ignore', 'pipe', 'pipe'],
      // In a terminal Ctrl-C goes to all commands of a pipe. The process group makes that possible here.
      detached: true,
    });
    this.#running.push(child);
    const run = { output: '', exited: once(child, 'close') as Promise<[number | null]>, interrupt: () => {} };
    run.interrupt = () => {
      if (child.exitCode === null) process.kill(-(child.pid ?? 0), 'SIGINT');
    };
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        run.output += chunk;
      });
    }
    return run;
  }

  async close(): Promise<void> {
    for (const { pid = 0, exitCode, signalCode } of this.#running) {
      if (exitCode === null && signalCode === null) process.kill(-pid, 'SIGKILL');
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function runScript(place: Place, { text, where }: Block, code: number): Promise<void> {
  const run = place.start(text);
  const [exit] = await run.exited;
  assert.equal(exit, code, `${where} ended with ${exit}:\n${run.output}`);
}

/** Without a terminal `natspoc top` prints one snapshot and exits, before a signal could arrive. */
const ENDS_BY_ITSELF = /^natspoc top\b/;

async function runTerminals(place: Place, { text, where }: Block): Promise<void> {
  const terminals = [];
  for (const command of commandsOf(text)) {
    const run = place.start(`exec ${command}`);
    terminals.push({ command, run });
    await until(`${where}: "${command}" prints something`, () => run.output !== '', 20_000);
  }
  for (const { command, run } of terminals.reverse()) {
    if (ENDS_BY_ITSELF.test(command)) await run.exited;
    else run.interrupt();
  }
  for (const { command, run } of terminals) {
    const [exit] = await run.exited;
    assert.equal(exit, 0, `${where}: "${command}" ended with ${exit}:\n${run.output}`);
  }
}

for (const document of DOCUMENTS) {
  describe(`the shell blocks of ${document}`, function () {
    this.timeout(BLOCK_TIMEOUT_MS);
    const server = withServer();
    let place: Place;
    before(() => {
      place = new Place(server.url);
    });
    after(() => place.close());

    it('every block with shell commands is marked as shell', () => {
      const others = blocksOf(document).filter(({ language }) => /^(|bash|shell|console)$/.test(language));
      assert.deepEqual(
        others.map(({ where }) => where),
        [],
      );
    });

    // In this order: a block continues where the previous one ended.
    for (const block of blocksOf(document).filter(({ language }) => language === 'sh')) {
      const plan = planOf(block);
      if (plan.kind === 'terminals')
        it(`the shell block at ${block.where} works`, () => runTerminals(place, block));
      if (plan.kind === 'script')
        it(`the shell block at ${block.where} works`, () => runScript(place, block, plan.code));
    }
  });
}

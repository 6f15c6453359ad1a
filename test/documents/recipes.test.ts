import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createPublisher } from '../../src/core/index.js';
import { withServer } from '../support/server.js';
import { until } from '../support/until.js';
import { blocksOf, inProject, readProject } from './blocks.js';

/** The lines of the first program under a heading of a document. Blank lines do not count. */
function linesUnder(path: string, anchor: string): number {
  const text = readProject(path);
  const at = [...text.matchAll(/^#+ (.+)$/gm)].find(
    ([, title = '']) =>
      title
        .toLowerCase()
        .replaceAll(/[^\w -]/g, '')
        .replaceAll(' ', '-') === anchor,
  );
  assert.ok(at, `${path} has no heading #${anchor}`);
  const [, program = ''] = /^```(?:ts|mjs)\n([\s\S]*?)^```$/m.exec(text.slice(at.index)) ?? [];
  return program.split('\n').filter((line) => line.trim() !== '').length;
}

describe('the table of programs in docs/recipes.md', () => {
  it('docs/recipes.md gives the number of lines of each program', () => {
    const rows = [...readProject('docs/recipes.md').matchAll(/^\| \[.+?\]\((.*?)#(.+?)\) \| (\d+) \|/gm)];
    assert.ok(rows.length >= 8);
    const counted = rows.map(([, file, anchor = '']) => [
      anchor,
      linesUnder(`docs/${file || 'recipes.md'}`, anchor),
    ]);
    assert.deepEqual(
      rows.map(([, , anchor, lines]) => [anchor, Number(lines)]),
      counted,
    );
  });
});

describe('the programs in docs/recipes.md', function () {
  this.timeout(60_000);
  const server = withServer();
  const running: ChildProcess[] = [];
  afterEach(() => {
    for (const child of running.splice(0)) child.kill('SIGKILL');
  });

  /** Starts the program of docs/recipes.md that contains the text `containing`. It uses the test's server. The code `given` runs first. */
  const start = (containing: string, given: string, changes: readonly (readonly [string, string])[] = []) => {
    const block = blocksOf('docs/recipes.md').find(({ text }) => text.includes(containing));
    assert.ok(block, `docs/recipes.md has no program with ${containing}`);
    let text = block.text.replaceAll('nats://127.0.0.1:4222', server.url);
    for (const [from, to] of changes) {
      assert.ok(text.includes(from), `${block.where} has no ${from}`);
      text = text.replace(from, to);
    }
    const child = spawn(process.execPath, ['--input-type=module', '-e', `${given}\n${text}`], {
      cwd: inProject('.'),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.push(child);
    const run = { child, output: '', exited: once(child, 'close').then(([code]) => code) };
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        run.output += chunk;
      });
    return run;
  };
  const publish = async (stream: string, prefix: string, texts: readonly string[]) => {
    const publisher = await createPublisher({ servers: server.url, stream, prefix, partitions: 1 });
    await Promise.all(texts.map((data) => publisher.publish({ key: 'one', data })));
    await publisher.close();
  };

  it('the web service stores the posted orders, and ends cleanly', async () => {
    const service = start('createServer', "const store = async ({ id }) => console.log('stored', id);", [
      [
        'server.listen(8080);',
        "server.listen(0, '127.0.0.1', () => console.log('port', server.address().port));",
      ],
    ]);
    await until('the service listens', () => /port \d+/.test(service.output));
    const port = /port (\d+)/.exec(service.output)?.[1];
    const response = await fetch(`http://127.0.0.1:${port}/user-7`, { method: 'POST', body: '{"id":"a"}' });
    assert.equal(response.status, 202);
    assert.equal(await response.text(), '1');
    await until('the order is stored', () => service.output.includes('stored a'));
    service.child.kill('SIGTERM');
    assert.equal(await service.exited, 0, service.output);
  });

  it('the bulk writer tries again from the document that failed', async () => {
    await publish('ORDERS2', 'bulk', ['a', 'b', 'c', 'd']);
    const given = `let failed = false;
      const bulk = async (lines) => {
        console.log('bulk', lines.join(''));
        return lines.map((line) => ({ error: line === 'c' && !failed ? ((failed = true), 'later') : null }));
      };`;
    const writer = start('batchHandler', given, [
      ["stream: 'ORDERS'", `servers: '${server.url}', stream: 'ORDERS2'`],
    ]);
    await until('the documents are written', () => /bulk cd/.test(writer.output));
    assert.deepEqual(writer.output.match(/bulk \w+/g), ['bulk abcd', 'bulk cd']);
  });

  it('the ledger records each message together with its effect, once', async () => {
    await publish('ORDERS3', 'ledger', ['{"account":1,"cents":5}', '{"account":1,"cents":7}']);
    const given = `const marks = new Set(); const log = [];
      const client = {
        release() {},
        async query(sql, values = []) {
          if (sql.startsWith('update')) console.log('cents', values[0]);
          if (!sql.startsWith('insert')) return { rowCount: null };
          const mark = values.join();
          const isNew = !marks.has(mark);
          marks.add(mark);
          return { rowCount: isNew ? 1 : 0 };
        },
      };
      const pool = { connect: async () => client };`;
    const ledger = start('insert into handled values ($1', given, [
      ["stream: 'ORDERS'", `servers: '${server.url}', stream: 'ORDERS3'`],
    ]);
    await until('both amounts are recorded', () => ledger.output.includes('cents 7'));
    assert.deepEqual(ledger.output.match(/cents \d/g), ['cents 5', 'cents 7']);
  });

  it('the account in SQLite gets each amount once, even if the answer to a commit is lost', async () => {
    await publish('ORDERS4', 'accounts', ['{"account":1,"cents":5}', '{"account":1,"cents":7}']);
    // From Node 22.13 on, this is the real module. Older versions get a substitute that has transactions.
    const given = `const { DatabaseSync } = await import('node:sqlite').catch(() => ({}));
      class StandIn {
        marks = new Set(); cents = 0; before = undefined;
        exec(sql) {
          if (sql.startsWith('begin')) this.before = { marks: new Set(this.marks), cents: this.cents };
          if (sql === 'commit') this.before = undefined;
          if (sql === 'rollback' && !this.before) throw new Error('no transaction is active');
          if (sql === 'rollback') Object.assign(this, this.before, { before: undefined });
        }
        prepare(sql) {
          const insert = (...mark) => {
            const { size } = this.marks;
            return { changes: this.marks.add(mark.join()).size - size };
          };
          return { run: sql.startsWith('insert') ? insert : (cents) => { this.cents += cents; return { changes: 1 }; } };
        }
      }
      const real = DatabaseSync && new DatabaseSync(':memory:');
      real?.exec('create table accounts (id, cents); insert into accounts values (1, 0)');
      const store = real ?? new StandIn();
      const total = () => (real ? real.prepare('select cents from accounts').get().cents : store.cents);
      let commits = 0;
      const db = {
        prepare: (sql) => store.prepare(sql),
        exec(sql) {
          store.exec(sql);
          if (sql !== 'commit') return;
          console.log('commit', ++commits, 'cents', total());
          if (commits === 1) throw new Error('the answer is lost');
        },
      };`;
    const accounts = start('begin immediate', given, [
      ["stream: 'ORDERS'", `servers: '${server.url}', stream: 'ORDERS4'`],
    ]);
    // The second attempt starts only after the default backoff.
    await until('the last commit is printed', () => /commit 3 cents/.test(accounts.output), 30_000);
    assert.deepEqual(accounts.output.match(/cents \d+/g), ['cents 5', 'cents 5', 'cents 12']);
  });
});

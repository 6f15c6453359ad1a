import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { installOffline, packCore } from '../support/installed.js';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/**
 * A program that names every public interface and assigns plain objects to them. It would not compile if the interfaces were classes with
 * private fields.
 */
const PROGRAM = `import {
  createPublisher, type GroupAdmin, type GroupFollower, type GroupMember, type GroupPublisher, joinGroup, openStream,
  type PartitionStatus, type Standing, type StreamAdmin,
} from 'natspoc-core';

import { call, type CallResult, type LocalStream, localStream } from 'natspoc-core/testing';

export async function test(): Promise<void> {
  const result: CallResult = await call({ decode: () => 5, handler: ({ value }) => void (value satisfies number) }, { key: 'a' });
  if (result.outcome === 'failed') console.log(result.then);
  const stream: LocalStream = localStream({ partitions: 2 });
  const member: GroupMember<number> = await stream.joinGroup({ decode: () => 5, handler: ({ value }) => void (value satisfies number) });
  stream.crash(member);
}

/** An object that the tests of a program could write. */
const follower: GroupFollower = {
  ownerOf: () => null, ownerNameOf: () => null, epochOf: () => 0, ownedBy: () => [], until: async () => true, stop: () => {},
};
const status: PartitionStatus = {
  partition: 0, epoch: 1, state: 'running', position: 0, committed: 0, handled: 0, lag: 0, trimmed: 0, caughtUp: true,
};
const standing: Standing = { partition: null, why: 'stuck', reason: 'it is not connected', forMs: 10_000 };

async function look(group: Pick<GroupAdmin, 'status' | 'release'>): Promise<(string | null)[]> {
  await group.release(follower, [status.partition]);
  return (await group.status()).partitions.map(({ owner }) => owner);
}

export async function main(): Promise<void> {
  const stream: StreamAdmin = await openStream({ stream: 'EVENTS' });
  const owners: (string | null)[] = await look(stream.group());
  const member: GroupMember<number, string> = await joinGroup({
    decode: () => 5,
    acquire: () => 'state',
    handler: ({ value }, { state }) => void [value satisfies number, state satisfies string],
  });
  const partitions: readonly PartitionStatus[] = member.partitions;
  const publisher: GroupPublisher = await createPublisher({ stream: 'EVENTS' });
  console.log(owners, partitions.length, member.standing satisfies readonly Standing[], standing, publisher.counters);
}
`;

const TSCONFIG = {
  compilerOptions: {
    target: 'ES2022',
    lib: ['ES2022', 'DOM'],
    module: 'NodeNext',
    strict: true,
    noUncheckedIndexedAccess: true,
    // The declarations of this package are checked as well.
    skipLibCheck: false,
    types: ['node'],
    noEmit: true,
  },
  files: ['program.mts', 'program.cts'],
};

/** Further versions of TypeScript, from npm: `npm run test:types`. */
const OTHERS = (process.env.TYPESCRIPT ?? '').split(',').filter(Boolean);

describe('the types of the library', function () {
  this.timeout(180_000);
  let folder: string;
  let installed: string;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'natspoc-test-'));
    installed = join(folder, 'empty');
    await installOffline(await packCore(folder), installed, ['nats', 'nkeys.js', 'tweetnacl']);
    writeFileSync(join(installed, 'program.mts'), PROGRAM);
    writeFileSync(join(installed, 'program.cts'), PROGRAM);
    writeFileSync(join(installed, 'tsconfig.json'), JSON.stringify(TSCONFIG));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("the library's types are interfaces: its only classes are errors", () => {
    const root = join(installed, 'node_modules/natspoc-core/dist');
    const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.d.ts'),
    );
    const classes = files.flatMap((name) =>
      [
        ...readFileSync(join(root, name), 'utf8').matchAll(
          /^(?:export )?declare (?:abstract )?class (\w+)/gm,
        ),
      ].map(([, declared]) => declared),
    );
    assert.deepEqual(classes.sort(), [
      'FailedAt',
      'InvalidMessage',
      'NatspocError',
      'PublishError',
      'StopConsuming',
    ]);
    assert.ok(files.length > 20);
  });

  for (const version of ['own', ...OTHERS]) {
    it(`the library's types compile from ES modules and CommonJS, strictly and without skipLibCheck: TypeScript ${version}`, async () => {
      const [file, ...args] =
        version === 'own'
          ? [join(ROOT, 'node_modules/.bin/tsc')]
          : ['npm', 'exec', '--yes', `--package=typescript@${version}`, '--', 'tsc'];
      const { stdout } = await run(file ?? '', [...args, '-p', installed], { cwd: folder }).catch(
        (error: { stdout: string }) => error,
      );
      // The client's own declarations (nats 2.29) need TypeScript 5.6, and we cannot fix them.
      const errors = stdout.split('\n').filter((line) => /error TS/.test(line));
      assert.deepEqual(
        errors.filter((line) => !/^\S*node_modules\/(nats|@types)\//.test(line)),
        [],
      );
    });
  }
});

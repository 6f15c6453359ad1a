/**
 * Runs the tests that talk to a server, and a minute of chaos, on several versions of nats-server: the installed version, and newer builds
 * from the machine's Debian mirror. Then runs chaos on a cluster of the newest version. Nothing is installed.
 *
 *   npm run test:matrix -- [--versions 2.9,2.10,2.15] [mocha arguments]
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureServerBinary } from '../src/local/server/index.js';

/** Newer Debian releases. */
const SUITES = ['trixie', 'forky', 'sid'];
const CHAOS = 'test/chaos/chaos.test.ts';
const SPECS = [
  'test/integration/*.test.ts',
  'test/commands/consume.test.ts',
  'test/commands/publish.test.ts',
  CHAOS,
];

const args = process.argv.slice(2);
const at = args.indexOf('--versions');
const wanted = at >= 0 ? (args.splice(at, 2)[1] ?? '').split(',') : undefined;

/** Mirrors that this machine's apt uses. */
function mirrors(): string[] {
  const sites = execFileSync('apt-get', ['indextargets', '--format', '$(SITE)'], { encoding: 'utf8' });
  return [...new Set(sites.split('\n').filter((site) => /^https?:/.test(site)))].map((site) =>
    site.replace(/\/$/, ''),
  );
}

/** The URLs of Debian's builds of nats-server, by version. */
async function builds(): Promise<Map<string, string>> {
  const arch = execFileSync('dpkg', ['--print-architecture'], { encoding: 'utf8' }).trim();
  const found = new Map<string, string>();
  for (const mirror of mirrors()) {
    for (const suite of SUITES) {
      const index = await fetch(`${mirror}/dists/${suite}/main/binary-${arch}/Packages.xz`);
      if (!index.ok) continue;
      const input = new Uint8Array(await index.arrayBuffer());
      const packages = execFileSync('xz', ['-dc'], { input, encoding: 'utf8', maxBuffer: 2 ** 29 });
      const stanza = packages.split('\n\n').find((text) => text.startsWith('Package: nats-server\n'));
      const version = /^Version: (\d+\.\d+\.\d+)/m.exec(stanza ?? '')?.[1];
      const file = /^Filename: (\S+)$/m.exec(stanza ?? '')?.[1];
      if (version && file) found.set(version, `${mirror}/${file}`);
    }
  }
  return found;
}

async function unpack(url: string, version: string, folder: string): Promise<string> {
  const target = join(folder, version);
  mkdirSync(target);
  const archive = join(target, 'nats-server.deb');
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${version}: the mirror answered ${response.status}`);
  writeFileSync(archive, new Uint8Array(await response.arrayBuffer()));
  execFileSync('dpkg-deb', ['-x', archive, target]);
  const binary = ['usr/sbin', 'usr/bin']
    .map((dir) => join(target, dir, 'nats-server'))
    .find((path) => existsSync(path));
  if (!binary) throw new Error(`${version}: the package contains no nats-server`);
  return binary;
}

/** Runs tests against a nats-server program. Returns false if a test failed. */
function run(
  title: string,
  binary: string,
  specs: readonly string[],
  env: Record<string, string> = {},
): boolean {
  console.log(`\n=== ${title} ===`);
  const { status } = spawnSync('npx', ['mocha', ...specs, ...args], {
    stdio: 'inherit',
    env: { ...process.env, NATS_SERVER_BIN: binary, ...env },
  });
  console.log(`=== ${title}: ${status === 0 ? 'passed' : 'FAILED'} ===`);
  return status === 0;
}

const versionOf = (binary: string): string =>
  execFileSync(binary, ['--version'], { encoding: 'utf8' }).trim();

const folder = mkdtempSync(join(tmpdir(), 'natspoc-matrix-'));
try {
  const binaries = new Map<string, string>([['here', await ensureServerBinary({ env: process.env })]]);
  for (const [version, url] of await builds()) {
    if (wanted && !wanted.some((prefix) => `${version}.`.startsWith(`${prefix}.`))) continue;
    binaries.set(version, await unpack(url, version, folder));
  }
  const passed = [...binaries].map(([name, binary]) => run(`${versionOf(binary)} (${name})`, binary, SPECS));
  const newest = [...binaries.values()].sort((a, b) =>
    versionOf(a).localeCompare(versionOf(b), 'en', { numeric: true }),
  );
  const last = newest.at(-1);
  if (last) passed.push(run(`a cluster of ${versionOf(last)}`, last, [CHAOS], { CHAOS_SERVERS: '3' }));
  process.exitCode = passed.every(Boolean) ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

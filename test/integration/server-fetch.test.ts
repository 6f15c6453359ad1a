import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import path from 'node:path';
import { NatspocError } from '../../src/core/lib/errors.js';
import { debianSource } from '../../src/local/server/debian.js';
import { fetchServer } from '../../src/local/server/fetch.js';
import { findServer, serversDir } from '../../src/local/server/find.js';
import {
  RELEASE_SHA256,
  RELEASE_VERSION,
  releaseArchive,
  releaseSource,
} from '../../src/local/server/release.js';
import { startServer } from '../../src/local/server/run.js';
import type { ServerSource } from '../../src/local/server/source.js';
import { withTempFolder } from '../support/temp.js';

const PLATFORM = { platform: 'linux', arch: 'x64' } as const;
const ARCHIVE = releaseArchive(PLATFORM.platform, PLATFORM.arch) ?? '';
const SCRIPT = `#!/bin/sh\necho "nats-server: v${RELEASE_VERSION}"\n`;

describe('fetching a server from the releases', () => {
  const temp = withTempFolder();
  let http: Server;
  let baseUrl: string;
  let requests: string[];
  /** Answers requests to the host. A test replaces it to cause a fault. */
  let answer: RequestListener;
  let expected: string;

  /** A release archive like those of the NATS project. Its program is this script. */
  function archiveOf(script: string): Buffer {
    const folder = path.join(temp(), 'build', ARCHIVE.replace('.tar.gz', ''));
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, 'nats-server'), script, { mode: 0o755 });
    const file = path.join(temp(), ARCHIVE);
    execFileSync('tar', ['-czf', file, '-C', path.dirname(folder), path.basename(folder)]);
    return readFileSync(file);
  }

  /** Serves `content` as the archive. The expected checksum is that of `summed`. */
  function release(content: Buffer, summed = content): RequestListener {
    expected = createHash('sha256').update(summed).digest('hex');
    return (request, response) => {
      if (request.url === `/v${RELEASE_VERSION}/${ARCHIVE}`) response.end(content);
      else response.writeHead(404).end('not found');
    };
  }

  before(async () => {
    http = createServer((request, response) => {
      requests.push(request.url ?? '');
      answer(request, response);
    });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    const address = http.address();
    baseUrl = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  });

  beforeEach(() => {
    requests = [];
    expected = '0'.repeat(64);
  });

  after(() => {
    http.closeAllConnections();
    http.close();
  });

  const place = () => ({ env: { XDG_CACHE_HOME: path.join(temp(), 'cache') }, platform: PLATFORM.platform });
  const official = (answerTimeoutMs = 20_000) =>
    releaseSource({ ...PLATFORM, baseUrl, answerTimeoutMs, sha256: { [ARCHIVE]: expected } });
  const fetchIt = (sources: ServerSource[] = [official()], onProgress?: (line: string) => void) =>
    fetchServer({ ...place(), sources, ...(onProgress === undefined ? {} : { onProgress }) });

  /** What the folder of fetched servers contains. It is empty unless a server was fetched completely. */
  const leftovers = () => readdirSync(serversDir(place()), { recursive: true });

  async function fails(reason: RegExp): Promise<void> {
    await assert.rejects(fetchIt(), (error) => {
      assert.ok(error instanceof NatspocError);
      assert.equal(error.code, 'server-missing');
      assert.equal(error.exitCode, 3);
      assert.match(error.message, reason);
      for (const way of ['apt install', 'brew install', 'docker compose up -d', 'NATS_SERVER_BIN']) {
        assert.ok(error.message.includes(way), way);
      }
      return true;
    });
    assert.deepEqual(leftovers(), []);
    assert.equal(findServer({ ...place(), systemFolders: [] }), null);
  }

  it('a fetch unpacks the checked program into the cache, and finds it there', async () => {
    answer = release(archiveOf(SCRIPT));
    const lines: string[] = [];
    const program = await fetchIt([official()], (line) => lines.push(line));
    assert.equal(program, path.join(serversDir(place()), RELEASE_VERSION, 'nats-server'));
    assert.equal(readFileSync(program, 'utf8'), SCRIPT);
    assert.deepEqual(leftovers().sort(), [RELEASE_VERSION, path.join(RELEASE_VERSION, 'nats-server')]);
    assert.equal(findServer({ ...place(), systemFolders: [] }), program);
    assert.deepEqual(requests, [`/v${RELEASE_VERSION}/${ARCHIVE}`]);
    assert.equal(lines.length, 2);
  });

  it('several processes can fetch a server at the same time', async () => {
    answer = release(archiveOf(SCRIPT));
    const programs = await Promise.all(Array.from({ length: 8 }, () => fetchIt()));
    assert.equal(new Set(programs).size, 1);
    assert.equal(leftovers().length, 2);
  });

  it('a fetch refuses an archive with the wrong checksum', async () => {
    const good = archiveOf(SCRIPT);
    const bad = Buffer.from(good);
    bad.writeUInt8(good.readUInt8(good.length - 1) ^ 1, good.length - 1);
    answer = release(bad, good);
    await fails(/wrong checksum of nats-server-v.*\.tar\.gz: [0-9a-f]{64}, expected [0-9a-f]{64}/);
  });

  it('a fetch refuses an archive that is cut short, whether or not the connection reports it', async () => {
    const good = archiveOf(SCRIPT);
    answer = release(good.subarray(0, good.length / 2), good);
    await fails(/wrong checksum/);
    release(good);
    answer = (_request, response) => {
      response.writeHead(200, { 'content-length': good.length });
      response.write(good.subarray(0, 100), () => response.destroy());
    };
    await fails(/the connection ended early/);
  });

  it('a fetch refuses an archive with a correct checksum that cannot be unpacked', async () => {
    answer = release(Buffer.from('this is no archive'));
    await fails(/tar: /);
  });

  it('a fetch refuses a program that is not a nats-server, or does not run', async () => {
    answer = release(archiveOf('#!/bin/sh\necho something else\n'));
    await fails(/is not a nats-server: something else/);
    answer = release(archiveOf('#!/nowhere/sh\n'));
    await fails(/ENOENT/);
  });

  it('a fetch reports an archive that does not exist, or is not an archive', async () => {
    answer = (_request, response) => response.writeHead(404).end();
    await fails(/\.tar\.gz answered 404/);
    answer = (_request, response) => response.end('<html>a login page</html>');
    await fails(/wrong checksum of/);
  });

  it("every archive has a fixed checksum, and the host's lists of checksums are ignored", async () => {
    const archives = new Set<string>();
    for (const platform of ['linux', 'darwin', 'win32', 'freebsd'] as const) {
      for (const arch of ['x64', 'arm64', 'arm', 'ia32', 'ppc64', 's390x', 'riscv64']) {
        const archive = releaseArchive(platform, arch);
        if (archive !== null) archives.add(archive);
      }
    }
    assert.deepEqual([...archives].sort(), Object.keys(RELEASE_SHA256).sort());
    for (const sum of Object.values(RELEASE_SHA256)) assert.match(sum, /^[0-9a-f]{64}$/);
    // The host serves another program, with a matching list of checksums.
    answer = release(archiveOf(SCRIPT));
    const source = releaseSource({ ...PLATFORM, baseUrl });
    await assert.rejects(fetchIt([source]), /wrong checksum of .*, expected 397a6deffb55/);
    assert.deepEqual(requests, [`/v${RELEASE_VERSION}/${ARCHIVE}`]);
    const unknown = releaseSource({ ...PLATFORM, baseUrl, sha256: {} });
    await assert.rejects(fetchIt([unknown]), /no checksum of .* is known/);
    assert.equal(requests.length, 1, 'an archive without a checksum is not downloaded');
    assert.deepEqual(leftovers(), []);
  });

  it('a fetch gives up on a host that accepts the connection and does not answer', async () => {
    answer = () => {};
    await assert.rejects(fetchIt([official(300)]), /no answer within 0\.3 s/);
    assert.deepEqual(leftovers(), []);
  });

  it('a fetch gives up immediately on a host that refuses the connection', async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const address = closed.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await new Promise((resolve) => closed.close(resolve));
    const unreachable = releaseSource({ ...PLATFORM, baseUrl: `http://127.0.0.1:${port}` });
    await assert.rejects(fetchIt([unreachable]), /cannot be reached \(ECONNREFUSED\)/);
    assert.deepEqual(leftovers(), []);
  });

  it('a fetch continues with the next source, and skips a source that does not apply', async () => {
    const good = archiveOf(SCRIPT);
    answer = (_request, response) => response.writeHead(500).end();
    const skipped: ServerSource = {
      ...official(),
      applies: () => false,
      get: () => assert.fail('asked although it does not apply'),
    };
    const second: ServerSource = {
      ...official(),
      get: (folder) => {
        answer = release(good);
        return official().get(folder);
      },
    };
    assert.ok(existsSync(await fetchIt([official(), skipped, second])));
  });

  it('there is no release for an unknown platform', async () => {
    const source = releaseSource({ platform: 'aix', arch: 'ppc64', baseUrl });
    await assert.rejects(fetchIt([source]), /none can be fetched for this platform/);
    assert.deepEqual(requests, []);
  });

  it('a fetch removes the files of a fetch that was killed an hour ago, but not the files of a fetch in progress', async () => {
    answer = release(archiveOf(SCRIPT));
    const folders = ['.fetch-old', '.fetch-new'].map((name) => path.join(serversDir(place()), name));
    for (const folder of folders) mkdirSync(folder, { recursive: true });
    const past = new Date(Date.now() - 2 * 60 * 60 * 1000);
    utimesSync(folders[0] ?? '', past, past);
    await fetchIt();
    assert.deepEqual(readdirSync(serversDir(place())).sort(), ['.fetch-new', RELEASE_VERSION]);
  });

  it('a fetch reports that the cache folder cannot be written', async () => {
    const file = path.join(temp(), 'file');
    writeFileSync(file, '');
    for (const folder of [file, '/proc/nowhere']) {
      const place = { env: { XDG_CACHE_HOME: folder }, platform: PLATFORM.platform };
      await assert.rejects(
        fetchServer({ ...place, sources: [official()] }),
        /the cache folder cannot be written/,
      );
    }
  });
});

describe('fetching a server with apt-get', function () {
  this.timeout(240_000);
  const temp = withTempFolder();

  it('a fetch with apt-get unpacks the package without installing it, and does not change the package state', async function () {
    const source = debianSource();
    if (!source.applies()) this.skip();
    const env = { XDG_CACHE_HOME: temp() };
    const state = () =>
      ['/var/lib/dpkg/status', '/var/lib/apt/lists', '/var/cache/apt', '/var/cache/apt/archives']
        .filter((file) => existsSync(file))
        .map((file) => `${file} ${statSync(file).mtimeMs}`);
    const before = state();
    const binary = await fetchServer({ env, sources: [source] });
    assert.deepEqual(state(), before);
    assert.equal(findServer({ env, systemFolders: [] }), binary);
    assert.equal(readdirSync(serversDir({ env })).length, 1);
    const server = await startServer({ binary });
    await server.stop();
  });
});

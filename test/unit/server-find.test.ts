import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { NatspocError } from '../../src/core/lib/errors.js';
import { findServer } from '../../src/local/server/find.js';
import { reasonIn } from '../../src/local/server/log.js';
import { cacheDir, defaultStoreDir } from '../../src/local/server/paths.js';
import { parseInfo } from '../../src/local/server/probe.js';
import { releaseArchive } from '../../src/local/server/release.js';
import { withTempFolder } from '../support/temp.js';

describe('finding nats-server', () => {
  const temp = withTempFolder();

  /** Writes a file that looks like a server into a new folder. Returns its path. */
  function program(...folder: string[]): string {
    const file = path.join(temp(), ...folder, 'nats-server');
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, '#!/bin/sh\n');
    chmodSync(file, 0o755);
    return file;
  }

  const search = (env: Record<string, string>, systemFolders: string[] = []) =>
    findServer({ env, systemFolders, platform: 'linux', home: temp() });

  it('the search for nats-server prefers the server in NATS_SERVER_BIN', () => {
    const asked = program('asked');
    const other = program('other');
    assert.equal(search({ NATS_SERVER_BIN: asked, PATH: path.dirname(other) }), asked);
  });

  for (const [what, make] of [
    ['a missing file', () => path.join(temp(), 'nowhere')],
    ['a folder', () => temp()],
    [
      'a file that cannot be executed',
      () => {
        const file = path.join(temp(), 'plain');
        writeFileSync(file, '');
        return file;
      },
    ],
  ] as const) {
    it(`the search for nats-server refuses ${what} in NATS_SERVER_BIN in one line, although PATH has a server`, () => {
      const asked = make();
      assert.throws(
        () => search({ NATS_SERVER_BIN: asked, PATH: path.dirname(program('other')) }),
        (error) =>
          error instanceof NatspocError &&
          error.code === 'config' &&
          error.message === `NATS_SERVER_BIN=${asked} is not an executable file.`,
      );
    });
  }

  it('nats-server is searched for in PATH in order, then in the system folders, then in the cache', () => {
    const cached = program('.cache', 'natspoc', 'servers', '2.9.10');
    assert.equal(search({}), cached);
    const system = program('sbin');
    assert.equal(search({}, [path.dirname(system)]), system);
    const second = program('second');
    const first = program('first');
    const PATH = [path.join(temp(), 'empty'), path.dirname(first), path.dirname(second)].join(':');
    assert.equal(search({ PATH }, [path.dirname(system)]), first);
  });

  it('the search for nats-server ignores relative folders in PATH', () => {
    const file = program('here');
    assert.equal(search({ PATH: path.relative(process.cwd(), path.dirname(file)) }), null);
  });

  it('the search for nats-server prefers the newest cached version, and ignores incomplete versions', () => {
    for (const version of ['2.9.10', '2.11.8', '2.10.27']) program('cache', 'natspoc', 'servers', version);
    program('cache', 'natspoc', 'servers', '.fetch-99');
    const found = search({ XDG_CACHE_HOME: path.join(temp(), 'cache') });
    assert.equal(found, path.join(temp(), 'cache', 'natspoc', 'servers', '2.11.8', 'nats-server'));
  });

  it('the search for nats-server finds nothing if no server is installed', () => {
    assert.equal(search({ PATH: temp(), NATS_SERVER_BIN: '' }), null);
  });
});

describe('folders of the user', () => {
  const home = '/home/ann';
  it('the folders of the user follow the convention of each platform', () => {
    const on = (platform: NodeJS.Platform, env = {}) => [
      cacheDir({ env, platform, home }),
      defaultStoreDir({ env, platform, home }),
    ];
    assert.deepEqual(on('linux'), ['/home/ann/.cache/natspoc', '/home/ann/.local/share/natspoc/server']);
    assert.deepEqual(on('linux', { XDG_CACHE_HOME: '/c', XDG_DATA_HOME: '/d' }), [
      '/c/natspoc',
      '/d/natspoc/server',
    ]);
    assert.deepEqual(on('linux', { XDG_CACHE_HOME: 'relative', XDG_DATA_HOME: '' }), on('linux'));
    assert.deepEqual(on('darwin'), [
      '/home/ann/Library/Caches/natspoc',
      '/home/ann/Library/Application Support/natspoc/server',
    ]);
    assert.deepEqual(on('win32', { LOCALAPPDATA: '/local' }), [
      '/local/natspoc/cache',
      '/local/natspoc/server',
    ]);
  });
});

describe('the release of a platform', () => {
  it('the release of a platform has the file name that the project uses', () => {
    assert.equal(releaseArchive('linux', 'x64'), 'nats-server-v2.11.8-linux-amd64.tar.gz');
    assert.equal(releaseArchive('linux', 'arm'), 'nats-server-v2.11.8-linux-arm7.tar.gz');
    assert.equal(releaseArchive('darwin', 'arm64'), 'nats-server-v2.11.8-darwin-arm64.tar.gz');
    assert.equal(releaseArchive('win32', 'x64'), 'nats-server-v2.11.8-windows-amd64.zip');
    assert.equal(releaseArchive('aix', 'ppc64'), null);
    assert.equal(releaseArchive('darwin', 'ia32'), null);
  });
});

describe('the output of nats-server', () => {
  it('the INFO line of nats-server is parsed, and any other line is ignored', () => {
    assert.deepEqual(parseInfo('INFO {"version":"2.9.10","jetstream":true}'), {
      version: '2.9.10',
      jetstream: true,
    });
    assert.deepEqual(parseInfo('INFO {"version":"2.9.10"}'), { version: '2.9.10', jetstream: false });
    for (const line of [
      '',
      'INFO',
      'INFO {',
      'INFO []',
      'INFO null',
      'INFO {"version":2}',
      '-ERR x',
      'HTTP/1.1 400',
    ]) {
      assert.equal(parseInfo(line), null, line);
    }
  });

  it('the reason of a failed start is the fatal line, or the last error, or the text before the log', () => {
    const log = (level: string, text: string) => `[12] 2026/01/02 03:04:05.678901 [${level}] ${text}`;
    assert.equal(reasonIn([log('INF', 'a'), log('FTL', 'b'), log('ERR', 'c'), log('INF', 'd')]), 'b');
    assert.equal(reasonIn([log('ERR', 'c'), log('ERR', 'e'), log('WRN', 'd')]), 'e');
    assert.equal(
      reasonIn(['nats-server: server.conf:1:1: unknown field "x"']),
      'server.conf:1:1: unknown field "x"',
    );
    assert.equal(reasonIn([log('INF', 'a')]), null);
  });
});

import assert from 'node:assert/strict';
import { type ConfigSources, loadConfig } from '../../src/core/config.js';
import { NatspocError } from '../../src/core/errors.js';
import { SETTINGS, type SettingName } from '../../src/core/settings/index.js';
import type { Setting } from '../../src/core/settings/setting.js';

const load = (sources: Partial<ConfigSources>) => loadConfig({ flags: {}, env: {}, ...sources });

const refusal = (sources: Partial<ConfigSources>): string => {
  try {
    load(sources);
  } catch (error) {
    assert.ok(error instanceof NatspocError);
    assert.equal(error.code, 'config');
    assert.equal(error.exitCode, 2);
    assert.doesNotMatch(error.message, /\n/, 'one line');
    return error.message;
  }
  assert.fail('was accepted');
};

describe('config', () => {
  it('has working defaults for everything', () => {
    const config = load({});
    assert.deepEqual(config.server, ['nats://127.0.0.1:4222']);
    assert.equal(config.partitions, 8);
    assert.equal(config.ttlMs, 10_000);
    assert.equal(config.memoryIntervalMs, 30_000);
    assert.equal(config.bucket, 'EVENTS_leases');
    assert.equal(config.rate, undefined);
    assert.equal(config.given.size, 0);
  });

  it('prefers the flag to the environment, the environment to .env, and .env to the default', () => {
    const dotenv = { PARTITIONS: '4' };
    const env = { PARTITIONS: '5' };
    const flags = { partitions: '6' };
    assert.equal(load({ dotenv }).partitions, 4);
    assert.equal(load({ dotenv, env }).partitions, 5);
    assert.equal(load({ dotenv, env, flags }).partitions, 6);
  });

  it('names the place, the value and what is allowed', () => {
    const allowed = 'is not a whole number from 1 to 65536.';
    assert.equal(refusal({ env: { PARTITIONS: '0' } }), `PARTITIONS: "0" ${allowed}`);
    assert.equal(refusal({ dotenv: { PARTITIONS: 'abc' } }), `PARTITIONS in .env: "abc" ${allowed}`);
    assert.equal(refusal({ flags: { partitions: '1.5' } }), `--partitions: "1.5" ${allowed}`);
    assert.match(refusal({ env: { LEASE_TTL: '10' } }), /^LEASE_TTL: "10" is not a duration/);
  });

  it('names both limits of a number, of a duration and of a size, and accepts them', () => {
    const limited = /^(?:a duration|a whole number|a size) from (\S+) to (\S+?)(?:, such as .*)?$/;
    const seen: string[] = [];
    for (const key of Object.keys(SETTINGS) as SettingName[]) {
      const { allowed, parse, flag }: Setting<unknown> = SETTINGS[key];
      if (!/duration|number|size/.test(allowed)) continue;
      const [, least = '', most = ''] = limited.exec(allowed) ?? [];
      assert.notEqual(parse(least), undefined, `--${flag} from ${least}`);
      assert.notEqual(parse(most), undefined, `--${flag} to ${most}`);
      // The next one is too much.
      const beyond = /^\d+$/.test(most)
        ? String(Number(most) + 1)
        : /B$/.test(most)
          ? `1${most}`
          : `${most}1ms`;
      assert.equal(refusal({ flags: { [key]: beyond } }), `--${flag}: "${beyond}" is not ${allowed}.`);
      seen.push(flag);
    }
    for (const flag of [
      'timeout',
      'drain-timeout',
      'handler-timeout',
      'memory-interval',
      'buffer-messages',
      'buffer-bytes',
      'backoff',
    ]) {
      assert.ok(seen.includes(flag), flag);
    }
  });

  it('never shows the value of a secret', () => {
    const message = refusal({ env: { NATS_PASSWORD: ' ' } });
    assert.match(message, /^NATS_PASSWORD: the value is not/);
  });

  it('treats an empty variable as absent', () => {
    assert.equal(load({ env: { PARTITIONS: '', NATS_URL: '' } }).partitions, 8);
  });

  it('derives the bucket from the stream unless one is named', () => {
    assert.equal(load({ env: { STREAM_NAME: 'ORDERS' } }).bucket, 'ORDERS_leases');
    assert.equal(load({ env: { STREAM_NAME: 'ORDERS', LEASE_BUCKET: 'mine' } }).bucket, 'mine');
  });

  it('reads where a new group starts', () => {
    assert.deepEqual(load({ flags: { from: 'seq:42' } }).from, { kind: 'sequence', sequence: 42 });
    const time = '2026-11-23T10:00:00Z';
    assert.deepEqual(load({ flags: { from: `time:${time}` } }).from, { kind: 'time', time: new Date(time) });
    for (const from of ['seq:0', 'seq:', 'last', '']) refusal({ flags: { from } });
  });

  it('takes no sequence that it could not count to, and no time that only looks like one', () => {
    for (const from of ['seq:9007199254740993', 'seq:12345678901234567', `seq:${'9'.repeat(400)}`]) {
      refusal({ flags: { from } });
    }
    const bad = [
      'yesterday',
      '5',
      '2026',
      '11/23/2026',
      '2026-02-30',
      '2026-13-01',
      '2026-01-01T25:00Z',
      ' ',
    ];
    for (const time of bad) refusal({ flags: { from: `time:${time}` } });
    const good = ['2026-11-23', '2026-11-23T10:00', '2026-11-23T10:00:00.5Z', '2024-02-29T10:00:00+01:00'];
    for (const time of good) {
      assert.deepEqual(load({ flags: { from: `time:${time}` } }).from, {
        kind: 'time',
        time: new Date(time),
      });
    }
  });

  it('refuses what would break a subject or a key', () => {
    for (const stream of ['a.b', 'a b', 'a*', 'a>', 'x'.repeat(65)]) refusal({ flags: { stream } });
    for (const prefix of ['a..b', '.a', 'a.', 'a.*', 'a.>', 'a b', '$SYS.a']) refusal({ flags: { prefix } });
    for (const group of ['a.b', 'a/b', 'ä']) refusal({ flags: { group } });
  });

  it('takes several servers, with and without a scheme', () => {
    const { server } = load({ env: { NATS_URL: 'nats://a:4222, tls://u:p@b:4223,c' } });
    assert.deepEqual(server, ['nats://a:4222', 'tls://u:p@b:4223', 'c']);
    refusal({ env: { NATS_URL: 'http://a' } });
    refusal({ env: { NATS_URL: 'a,,b' } });
  });

  it('takes no server with a port that there cannot be, and says so', () => {
    for (const server of [
      'localhost:99999',
      'nats://u:p@h:0',
      'h:x',
      'h:',
      '[::1]:70000',
      'a:4222,b:65536',
    ]) {
      assert.match(refusal({ flags: { server } }), /^--server: .* a port from 1 to 65535,/, server);
    }
    for (const server of [
      'localhost:65535',
      'h:1',
      '[::1]:4222',
      '[::1]',
      '::1',
      'tls://u:1@h:4222',
      'u:99999@h',
    ]) {
      assert.deepEqual(load({ flags: { server } }).server, [server]);
    }
  });

  it('tells what a setting is called where it came from, or where it can be set', () => {
    const context = { name: 'prod', values: { bucket: 'b', stream: 's' } };
    const config = load({
      flags: { prefix: 'p', stream: 's' },
      env: { PARTITIONS: '3', SUBJECT_PREFIX: 'q' },
      dotenv: { CONSUMER_GROUP: 'g' },
      context,
    });
    const names = ['prefix', 'stream', 'partitions', 'group', 'bucket', 'server'] as const;
    assert.deepEqual(names.map(config.place), [
      '--prefix',
      '--stream',
      'PARTITIONS',
      'CONSUMER_GROUP in .env',
      'bucket in context prod',
      '--server or NATS_URL',
    ]);
    const options = load({ flags: { prefix: 'p' }, optionName: (name) => `the option ${name}` });
    assert.deepEqual(
      ['prefix', 'server'].map((name) => options.place(name as 'prefix')),
      ['the option prefix', 'the option server'],
    );
    assert.deepEqual(
      [config.option('partitions'), options.option('prefix')],
      ['--partitions', 'the option prefix'],
    );
  });

  it('is frozen', () => {
    assert.ok(Object.isFrozen(load({})));
  });

  it('has one flag and one variable for each setting, and defaults that it accepts itself', () => {
    const names = Object.keys(SETTINGS) as SettingName[];
    assert.equal(new Set(names.map((name) => SETTINGS[name].flag)).size, names.length);
    assert.equal(new Set(names.map((name) => SETTINGS[name].env)).size, names.length);
    for (const name of names) {
      const setting: { fallback?: string; parse: (text: string) => unknown } = SETTINGS[name];
      if (setting.fallback !== undefined) assert.notEqual(setting.parse(setting.fallback), undefined, name);
    }
  });
});

import assert from 'node:assert/strict';
import { loadConfig } from '../../src/core/config/config.js';
import type { Setting } from '../../src/core/config/setting.js';
import { SETTINGS, type SettingName } from '../../src/core/config/settings.js';
import { type ConfigSources, contextName, secretFlags } from '../../src/core/config/sources.js';
import { NatspocError } from '../../src/core/lib/errors.js';

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

describe('the configuration', () => {
  it('every setting has a working default', () => {
    const config = load({});
    assert.deepEqual(config.server, ['nats://127.0.0.1:4222']);
    assert.equal(config.partitions, 8);
    assert.equal(config.ttlMs, 10_000);
    assert.equal(config.memoryIntervalMs, 30_000);
    assert.equal(config.bucket, 'EVENTS_leases');
    assert.equal(config.rate, undefined);
    assert.equal(config.given.size, 0);
  });

  it('a flag is preferred to the environment, the environment to .env, and .env to the default', () => {
    const dotenv = { PARTITIONS: '4' };
    const env = { PARTITIONS: '5' };
    const flags = { partitions: '6' };
    assert.equal(load({ dotenv }).partitions, 4);
    assert.equal(load({ dotenv, env }).partitions, 5);
    assert.equal(load({ dotenv, env, flags }).partitions, 6);
  });

  it('an error names the source, the value and the allowed values', () => {
    const allowed = 'is not a whole number from 1 to 65536.';
    assert.equal(refusal({ env: { PARTITIONS: '0' } }), `PARTITIONS: "0" ${allowed}`);
    assert.equal(refusal({ dotenv: { PARTITIONS: 'abc' } }), `PARTITIONS in .env: "abc" ${allowed}`);
    assert.equal(refusal({ flags: { partitions: '1.5' } }), `--partitions: "1.5" ${allowed}`);
    assert.match(refusal({ env: { LEASE_TTL: '10' } }), /^LEASE_TTL: "10" is not a duration/);
  });

  it('an error names both limits of a number, of a duration and of a size, and both limits are accepted', () => {
    const limited = /^(?:a duration|a whole number|a size) from (\S+) to (\S+?)(?:, such as .*)?$/;
    const seen: string[] = [];
    for (const key of Object.keys(SETTINGS) as SettingName[]) {
      const { allowed, parse, flag }: Setting<unknown> = SETTINGS[key];
      if (!/duration|number|size/.test(allowed)) continue;
      const [, least = '', most = ''] = limited.exec(allowed) ?? [];
      assert.notEqual(parse(least), undefined, `--${flag} from ${least}`);
      assert.notEqual(parse(most), undefined, `--${flag} to ${most}`);
      // The next number is too large.
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

  it('an error never shows the value of a secret', () => {
    const message = refusal({ env: { NATS_USER: 'u', NATS_PASSWORD: ' ' } });
    assert.match(message, /^NATS_PASSWORD: the value is not/);
  });

  it('an empty variable counts as absent', () => {
    assert.equal(load({ env: { PARTITIONS: '', NATS_URL: '' } }).partitions, 8);
  });

  it('the bucket is derived from the stream unless one is named', () => {
    assert.equal(load({ env: { STREAM_NAME: 'ORDERS' } }).bucket, 'ORDERS_leases');
    assert.equal(load({ env: { STREAM_NAME: 'ORDERS', LEASE_BUCKET: 'mine' } }).bucket, 'mine');
  });

  it('the setting "from" is read as the start of a new group', () => {
    assert.deepEqual(load({ flags: { from: 'seq:42' } }).from, { kind: 'sequence', sequence: 42 });
    const time = '2026-11-23T10:00:00Z';
    assert.deepEqual(load({ flags: { from: `time:${time}` } }).from, { kind: 'time', time: new Date(time) });
    for (const from of ['seq:0', 'seq:', 'middle', '']) refusal({ flags: { from } });
  });

  it('sequences that are too large, and invalid times, are refused', () => {
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

  it('names that would break a subject or a key are refused', () => {
    for (const stream of ['a.b', 'a b', 'a*', 'a>', 'x'.repeat(246)]) refusal({ flags: { stream } });
    for (const prefix of ['a..b', '.a', 'a.', 'a.*', 'a.>', 'a b', '$SYS.a']) refusal({ flags: { prefix } });
    for (const group of ['a.b', 'a/b', 'ä', 'x'.repeat(65)]) refusal({ flags: { group } });
  });

  it('several servers are accepted, with and without a scheme', () => {
    const { server } = load({ env: { NATS_URL: 'nats://a:4222, tls://u:p@b:4223,c' } });
    assert.deepEqual(server, ['nats://a:4222', 'tls://u:p@b:4223', 'c']);
    refusal({ env: { NATS_URL: 'http://a' } });
    refusal({ env: { NATS_URL: 'a,,b' } });
  });

  it('a server with an impossible port is refused', () => {
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

  it('a setting has the name that its source uses, or the names under which it can be set', () => {
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
    assert.equal(config.option('partitions'), '--partitions');
  });

  describe('of credentials', () => {
    const context = { name: 'prod', values: { server: 'nats://prod:1', user: 'c', password: 'p' } };
    const identity = (sources: Partial<ConfigSources>) => {
      const { server, user, password, token, creds, nkey } = load(sources);
      return { server: server[0], user, password, token, creds, nkey };
    };
    const none = {
      user: undefined,
      password: undefined,
      token: undefined,
      creds: undefined,
      nkey: undefined,
    };

    it('credentials come from one source, the first in precedence; only a password may come from another source', () => {
      const env = { NATS_URL: 'nats://e:1', NATS_CREDS: 'file' };
      const server = 'nats://e:1';
      assert.deepEqual(identity({ env }), { ...none, server, creds: 'file' });
      assert.deepEqual(identity({ env, flags: { token: 't' } }), { ...none, server, token: 't' });
      const password = { ...env, NATS_PASSWORD: 's' };
      assert.deepEqual(identity({ env: password, flags: { user: 'u' } }), {
        ...none,
        server,
        user: 'u',
        password: 's',
      });
      assert.deepEqual(identity({ env: password }), { ...none, server, creds: 'file' });
      assert.deepEqual(identity({ context, flags: { user: 'u' } }), {
        ...none,
        server: 'nats://prod:1',
        user: 'u',
      });
    });

    it('credentials are refused if two kinds contradict each other, or a password has no user', () => {
      const pairs = [
        ['user', 'token'],
        ['creds', 'nkey'],
        ['token', 'creds'],
      ] as const;
      for (const [a, b] of pairs) {
        const message = refusal({ flags: { [a]: 'x', [b]: 'y' } });
        assert.match(message, / exclude each other: both are credentials\.$/);
        assert.ok(message.includes(`--${a}`) && message.includes(`--${b}`), message);
        refusal({ env: { [SETTINGS[a].env]: 'x', [SETTINGS[b].env]: 'y' } });
      }
      assert.match(refusal({ flags: { password: 'x' } }), /^--password needs a user/);
      assert.match(refusal({ flags: { password: 'x', token: 't' } }), /^--password needs a user/);
    });

    it('credentials are not sent to the server in .env, unless they are in .env too', () => {
      const dotenv = { NATS_URL: 'nats://evil:1' };
      for (const env of [
        { NATS_PASSWORD: 's', NATS_USER: 'u' },
        { NATS_CREDS: 'f' },
        { NATS_NKEY: 'f' },
        { NATS_TOKEN: 't' },
      ]) {
        const message = refusal({ dotenv, env });
        assert.match(message, /^NATS_\w+ is not used with NATS_URL in \.env, because /);
        assert.match(message, /Set --server or NATS_URL as well, or NATS_\w+ in \.env\.$/);
        // The source of the server's address matters, too.
        assert.match(refusal({ dotenv: { NATS_CA: 'f' }, env }), /with NATS_CA in \.env, because/);
        load({ dotenv, env: { ...env, NATS_URL: 'nats://own:1' } });
        load({ dotenv: { ...dotenv, ...env } });
      }
      assert.match(refusal({ dotenv, flags: { user: 'u' } }), /^--user is not used/);
      assert.match(
        refusal({ dotenv: { ...dotenv, NATS_CONTEXT: 'prod' }, context }),
        /^user in context prod is not used with NATS_URL in \.env, because/,
      );
      // A user is not required.
      assert.equal(identity({ dotenv }).server, 'nats://evil:1');
    });

    it('a named context gives the credentials and the server', () => {
      const elsewhere = {
        NATS_URL: 'nats://evil:1',
        NATS_TOKEN: 't',
        NATS_CA: 'f',
        NATS_INBOX_PREFIX: 'x',
        STREAM_NAME: 'S',
      };
      const expected = { ...none, server: 'nats://prod:1', user: 'c', password: 'p' };
      for (const sources of [
        { flags: { context: 'prod' }, env: elsewhere },
        { flags: { context: 'prod' }, env: {}, dotenv: elsewhere },
        { env: { NATS_CONTEXT: 'prod' }, dotenv: elsewhere },
      ]) {
        assert.deepEqual(identity({ ...sources, context }), expected, JSON.stringify(sources));
        const { stream, tlsca, inboxPrefix } = load({ ...sources, context });
        assert.deepEqual([stream, tlsca, inboxPrefix], ['S', undefined, undefined]);
      }
      const flags = { context: 'prod', server: 'nats://f:1' };
      assert.deepEqual(identity({ flags, context }), { ...expected, server: 'nats://f:1' });
      const named = { flags: { context: 'prod' }, env: elsewhere };
      assert.equal(
        contextName(named, () => 'selected'),
        'prod',
      );
      assert.equal(
        contextName({ flags: {}, env: elsewhere }, () => 'selected'),
        undefined,
      );
      assert.equal(
        contextName({ flags: {}, env: {} }, () => 'selected'),
        'selected',
      );
    });

    it('only flags whose values are secrets are reported as secret flags', () => {
      const secrets = (sources: Partial<ConfigSources>) =>
        secretFlags({ flags: {}, env: {}, ...sources }).map(({ flag }) => flag);
      assert.deepEqual(secrets({ flags: { user: 'u', password: 'p' } }), ['password']);
      assert.deepEqual(secrets({ flags: { user: 'u' }, env: { NATS_PASSWORD: 'p' } }), []);
      assert.deepEqual(secrets({ flags: { user: 'u' } }), ['user']);
      assert.deepEqual(secrets({ flags: { token: 't' } }), ['token']);
      assert.deepEqual(secrets({ flags: { creds: 'f' } }), []);
      assert.deepEqual(secrets({ flags: { server: 'nats://u:p@h' } }), ['server']);
      assert.deepEqual(secrets({ flags: { server: 'a, b' }, env: { NATS_TOKEN: 't' } }), []);
    });
  });

  it('a member name must be readable', () => {
    for (const name of ['', ' ', 'x'.repeat(129), 'a\nb', 'a\u001b[2J', 'a\u202eb', 'a\u0085b']) {
      refusal({ flags: { name } });
    }
    assert.equal(load({ flags: { name: ` ${'ü'.repeat(128)} ` } }).name, 'ü'.repeat(128));
    assert.equal(load({ env: { MEMBER_NAME: 'worker 3 🔑' } }).name, 'worker 3 🔑');
  });

  it('the configuration is frozen', () => {
    assert.ok(Object.isFrozen(load({})));
  });

  it('each setting has its own flag and variable, and a valid default', () => {
    const names = Object.keys(SETTINGS) as SettingName[];
    assert.equal(new Set(names.map((name) => SETTINGS[name].flag)).size, names.length);
    assert.equal(new Set(names.map((name) => SETTINGS[name].env)).size, names.length);
    for (const name of names) {
      const setting: { fallback?: string; parse: (text: string) => unknown } = SETTINGS[name];
      if (setting.fallback !== undefined) assert.notEqual(setting.parse(setting.fallback), undefined, name);
    }
  });
});

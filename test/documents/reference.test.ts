import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { optionsPage } from '../../scripts/options-page.js';
import { reference } from '../../scripts/reference.js';
import { SETTINGS } from '../../src/core/config/settings.js';
import { METRICS } from '../../src/core/health/definitions.js';
import { CREATE_PUBLISHER, JOIN_GROUP, OPEN_STREAM } from '../../src/core/options/table.js';
import { cacheDir, defaultStoreDir } from '../../src/local/server/paths.js';
import { readProject } from './blocks.js';
import { unknownMetrics } from './metrics.js';

describe('the reference', () => {
  it('docs/reference.md equals the generated help of the commands', async () => {
    assert.equal(readProject('docs/reference.md'), await reference(), 'run: npm run reference');
  });
});

describe('the list of metrics', () => {
  it('the reference lists every metric, and every metric that another document names exists', () => {
    const names = Object.keys(METRICS);
    const listed = readProject('docs/reference.md');
    assert.deepEqual(
      names.filter((name) => !listed.includes(`| \`${name}\` |`)),
      [],
    );
    for (const document of ['docs/operations.md', 'README.md'])
      assert.deepEqual(unknownMetrics(document), []);
  });
});

describe('the page of options', () => {
  const page = readProject('docs/options.md');

  it('the page of options equals the page that is generated from the comments', () => {
    assert.equal(page, optionsPage(), 'run: npm run reference');
  });

  it('the page of options gives a default for every option', () => {
    const rows = page.split('\n').filter((line) => line.startsWith('| `'));
    assert.deepEqual(
      rows.filter((row) => /\|\s*\|$/.test(row)),
      [],
    );
  });

  it('the page of options contains every option of the library', () => {
    const options = [JOIN_GROUP, CREATE_PUBLISHER, OPEN_STREAM].flatMap((table) => Object.keys(table));
    assert.deepEqual(
      options.filter((option) => !page.includes(`| \`${option}\` |`)),
      [],
    );
  });
});

describe('the table of events', () => {
  it('the table of events contains every event of a member', () => {
    const documented = readProject('docs/library.md');
    const reports = readProject('src/core/protocol/events.ts').split('export type Report =')[1] ?? '';
    const own = readProject('src/core/member/member-events.ts').split('interface MemberEventMap')[1] ?? '';
    const events = [
      ...[...reports.matchAll(/type: '([a-z-]+)'/g)].map(([, event = '']) => event),
      ...[...own.matchAll(/^ {2}(\w+): \[/gm)].map(([, event = '']) => event),
    ];
    assert.ok(events.length > 30, String(events.length));
    const rows = documented.split('\n').filter((line) => line.startsWith('| `'));
    assert.deepEqual(
      events.filter((event) => !rows.some((row) => row.split('|')[1]?.includes(`\`${event}\``))),
      [],
    );
  });
});

describe('the folders that remain on the machine', () => {
  it('the operations guide names exactly the folders that remain on the machine', () => {
    const guide = readProject('docs/operations.md').replaceAll('\n', ' ');
    for (const platform of ['linux', 'darwin'] as const) {
      const place = { platform, env: {}, home: '~' };
      assert.ok(guide.includes(`\`${dirname(defaultStoreDir(place))}\``), defaultStoreDir(place));
      assert.ok(guide.includes(`\`${cacheDir(place)}\``), cacheDir(place));
    }
  });
});

describe('each setting', () => {
  const readme = readProject('README.md');
  const example = readProject('.env.example');
  const documented = readProject('docs/reference.md');
  /** A variable's row in a table, without alignment spaces. */
  const row = (document: string, env: string) =>
    document.split('\n').find((line) => line.startsWith(`| \`${env}\` |`));

  it("every setting is in the reference, and in the README's table or .env.example, with its flag and default", () => {
    const wrong: string[] = [];
    for (const setting of Object.values(SETTINGS)) {
      const { env, flag } = setting;
      const fallback = 'fallback' in setting ? setting.fallback : undefined;
      if (!row(documented, env)) wrong.push(`docs/reference.md has no ${env}`);
      const inExample = new RegExp(`^#? ?${env}=(.*)$`, 'm').exec(example);
      const inReadme = row(readme, env);
      if (!inExample && !inReadme) wrong.push(`neither README.md nor .env.example has ${env}`);
      if (inReadme && !inReadme.includes(`\`--${flag}\``)) wrong.push(`README.md: ${env} without --${flag}`);
      if (inReadme && fallback && !inReadme.includes(`\`${fallback}\``))
        wrong.push(`README.md: the default of ${env} is ${fallback}`);
      // This line is in effect in every copy of the file, so its value must be the default.
      if (inExample && !inExample[0].startsWith('#') && inExample[1] !== fallback)
        wrong.push(`.env.example: the default of ${env} is ${fallback}`);
    }
    assert.deepEqual(wrong, []);
  });

  it('every setting that the README or .env.example names exists', () => {
    const known = new Set<string>(Object.values(SETTINGS).map(({ env }) => env));
    const named = [
      ...[...readme.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, env = '']) => env),
      ...[...example.matchAll(/^#? ?([A-Z_]+)=/gm)].map(([, env = '']) => env),
    ];
    // NATS_SERVER_BIN is not a setting of the core. The local server is searched before there is a configuration.
    assert.deepEqual(
      named.filter((env) => !known.has(env)),
      ['NATS_SERVER_BIN'],
    );
  });
});

describe('the lists of methods of the library', () => {
  const opened = readProject('src/core/options/opened.ts');
  const page = readProject('docs/library.md');

  /** The names of an interface's methods, as `name(` or `name<T>(` at the first level. */
  const methodsOf = (name: string): string[] => {
    const [, body = ''] =
      new RegExp(`export interface ${name}\\b.*?\\{\\n(.*?)\\n\\}`, 's').exec(opened) ?? [];
    return [...body.matchAll(/^ {2}(\w+)(?:<\w+>)?\(/gm)].map(([, method = '']) => method);
  };

  for (const name of ['StreamAdmin', 'GroupAdmin'])
    it(`the page of the library lists the methods of ${name}, and no others`, () => {
      const [, list = ''] = new RegExp(`^\`${name}\`: (.*?)\\.$`, 'ms').exec(page) ?? [];
      const listed = [...list.replaceAll(/\([^)]*\)/g, '').matchAll(/`(\w+)`/g)].map(([, method]) => method);
      const unlisted = new Set(['group', 'close']);
      assert.deepEqual(
        listed.sort(),
        methodsOf(name)
          .filter((each) => !unlisted.has(each))
          .sort(),
      );
    });
});

/**
 * Writes docs/reference.md: every setting, every command and every metric, from the code itself. A test checks that the file is current.
 *
 *   npm run reference
 *
 * `oclif readme` does nearly the same, but it needs the package `oclif`, which needs Node 22 and installs many packages.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CommandHelp, Config } from '@oclif/core';
import { SETTINGS } from '../src/core/config/settings.js';
import { METRICS, type MetricDefinition } from '../src/core/health/definitions.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FILE = fileURLToPath(new URL('../docs/reference.md', import.meta.url));
/** The width of the help, in columns. */
const WIDTH = 130;
/** Flags of these groups appear only in the table of settings, not at each command. */
const SHARED_GROUPS: Record<string, string> = {
  'STREAM AND GROUP': 'stream and group',
  CONNECTION: 'connection',
};

const INTRODUCTION = `# Reference

Generated from the code by \`npm run reference\`; do not edit.

Precedence: a flag, the environment, \`.env\` in the working folder, a context of the \`nats\` CLI (connection settings
only), the default. Durations: \`250ms\`, \`10s\`, \`1h30m\`. Sizes: \`128\`, \`1KiB\`, \`1.5MB\`.
Rates: \`500\`, \`500/s\`, \`30/m\`.

Every command has \`--json\` (JSON and nothing else on stdout) and \`--help\`. Exit codes: 0 done, 1 failed, 2 usage or
configuration, 3 cannot reach NATS, 4 refused, 5 a check found loss, disorder or an unhealthy group.

## Settings

`;

/** Text in a cell of a table. */
const cell = (text: string): string => text.replaceAll('|', '\\|');
const code = (text: string): string => `\`${text}\``;

function settingsTable(): string {
  const lines = ['| variable | flag | default | allowed | meaning |', '| --- | --- | --- | --- | --- |'];
  for (const setting of Object.values(SETTINGS)) {
    const { flag, env, allowed, help } = setting;
    const flags = 'char' in setting ? [`-${setting.char}`, `--${flag}`] : [`--${flag}`];
    const fallback = 'fallback' in setting ? code(setting.fallback) : '';
    const cells = [code(env), flags.map(code).join(', '), fallback, allowed, help];
    lines.push(`| ${cells.map(cell).join(' | ')} |`);
  }
  return lines.join('\n');
}

const METRICS_INTRODUCTION = `Members serve metrics at \`/metrics\` if \`--health-port\` is set; the exporter always serves them. Every metric has the label \`stream\`. A metric
about a group also has the label \`group\`. A metric that a member serves has the labels \`group\` and \`member\`. If both a member and the exporter
serve a metric, both values mean the same: use only one of them in a sum.`;

/** The metrics of members and the exporter, by name. */
function metricsTable(): string {
  const lines = ['| metric | type | labels | served by | meaning |', '| --- | --- | --- | --- | --- |'];
  const by = { member: 'members', exporter: 'exporter', both: 'both' };
  for (const [name, { type, from, help, labels = [] }] of Object.entries<MetricDefinition>(METRICS)) {
    const cells = [code(name), type, labels.map(code).join(', '), by[from], help];
    lines.push(`| ${cells.map(cell).join(' | ')} |`);
  }
  return lines.join('\n');
}

/** A command's help without the parts that all commands share. */
function commandSection(command: Config['commands'][number], config: Config): string {
  const shared = new Set<string>();
  const own = Object.entries(command.flags).filter(([, { helpGroup = '' }]) => {
    const group = SHARED_GROUPS[helpGroup];
    if (group) shared.add(group);
    return group === undefined && helpGroup !== 'GLOBAL';
  });
  const id = command.id.replaceAll(':', ' ');
  const render = (part: Partial<typeof command>): string =>
    new CommandHelp({ ...command, summary: undefined, ...part, id, load: command.load }, config, {
      maxWidth: WIDTH,
    }).generate();
  const help = render({ flags: Object.fromEntries(own), examples: undefined }).trimEnd();
  const examples = render({ description: undefined, flags: {}, args: {} });
  return [
    `### natspoc ${id}`,
    command.summary ?? '',
    `\`\`\`text\n${help}\n\n${examples.slice(examples.indexOf('EXAMPLES'))}\n\`\`\``,
    shared.size > 0 ? `This command also takes the settings for ${[...shared].sort().join(', ')}.` : '',
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

/** The whole document, made from the commands of the last build. */
export async function reference(): Promise<string> {
  const config = await Config.load({ root: ROOT, enablePerf: false });
  const commands = config.commands
    .filter(({ pluginName, hidden }) => pluginName === config.name && !hidden)
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  const sections = commands.map((command) => commandSection(command, config));
  return `${INTRODUCTION}${settingsTable()}\n\n## Commands\n\n${sections.join('\n\n')}\n\n## Metrics\n\n${METRICS_INTRODUCTION}\n\n${metricsTable()}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(FILE, await reference());

// Writes oclif.manifest.json, which describes the commands, so that a run of one command does not load all commands.
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Plugin } from '@oclif/core';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const plugin = new Plugin({ root, isRoot: true, ignoreManifest: true });
await plugin.load();
// The usage line lists the arguments, and only [FLAGS] for all flags. oclif's own usage line would list every flag.
for (const command of Object.values(plugin.manifest.commands)) {
  const args = Object.values(command.args ?? {}).map(({ name, required }) => {
    const shown = `${name.toUpperCase()}${command.strict === false ? '...' : ''}`;
    return required ? shown : `[${shown}]`;
  });
  command.usage = ['<%= command.id %>', ...args, '[FLAGS]'].join(' ');
}
writeFileSync(join(root, 'oclif.manifest.json'), `${JSON.stringify(plugin.manifest)}\n`);

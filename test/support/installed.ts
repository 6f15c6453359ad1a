import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

interface Locked {
  dev?: boolean;
  integrity?: string;
  bin?: unknown;
}

/** Packs only the library, as `npm run pack:core` does. */
export async function packCore(folder: string): Promise<string> {
  const { stdout } = await run(process.execPath, [join(ROOT, 'scripts/core-package.js'), folder]);
  return stdout.split(': ')[0] ?? '';
}

/** Packs this project as it was last built. */
export async function pack(folder: string): Promise<{ tarball: string; files: string[] }> {
  const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
  const { stdout } = await run('npm', args, { cwd: ROOT });
  const [packed] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }];
  return { tarball: join(folder, packed.filename), files: packed.files.map(({ path }) => path) };
}

/**
 * Installs a tarball of this project into an otherwise empty folder. It works like `npm install FILE`, but without a network: the
 * dependencies come from this project's own `node_modules`. Of the development dependencies, only the types of Node are copied.
 *
 * @param only the packages that are copied. Default: all dependencies of the project.
 */
export async function installOffline(tarball: string, folder: string, only?: string[]): Promise<void> {
  const lock = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, Locked>;
  };
  const types = ['node_modules/@types/node', 'node_modules/undici-types'];
  const packages: Record<string, Locked> = {};
  await mkdir(folder, { recursive: true });
  for (const [path, { integrity: _integrity, bin: _bin, ...entry }] of Object.entries(lock.packages)) {
    if (path === '' || (entry.dev && !types.includes(path))) continue;
    if (only && !types.includes(path) && !only.includes(path.replace('node_modules/', ''))) continue;
    const from = join(ROOT, path);
    const copied = await cp(from, join(folder, path), {
      recursive: true,
      // Nested packages have their own entries in the lock file.
      filter: (source) => !source.slice(from.length).includes('node_modules'),
    }).then(
      () => true,
      // Only a package for another platform can be missing. It is optional, so npm did not install it here.
      () => false,
    );
    // If their entries have no integrity and no programs to link, npm accepts the copied packages.
    if (copied) packages[path] = entry;
  }
  // The renderer of top sets NODE_ENV to production in this process. With it, npm would leave out development dependencies. So the
  // environment is set explicitly.
  const project = { private: true, type: 'module', dependencies: { '@types/node': '*' } };
  const lockfile = { lockfileVersion: 3, packages: { '': project, ...packages } };
  await writeFile(join(folder, 'package.json'), JSON.stringify(project));
  await writeFile(join(folder, 'package-lock.json'), JSON.stringify(lockfile));
  const cache = join(folder, '.npm-cache');
  await run('npm', ['install', '--offline', '--cache', cache, '--no-audit', '--no-fund', tarball], {
    cwd: folder,
  });
}

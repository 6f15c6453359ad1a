import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const OWN = join(import.meta.dirname, '../../dist');

/**
 * Loads the built library, because the TypeScript loader makes some functions slower.
 *
 * @param folder the `dist` folder of a build, to compare two builds; default: that of this build.
 */
export async function libraryOf(
  folder = OWN,
): Promise<typeof import('../../src/core/member/group-member.js')> {
  return import(pathToFileURL(join(folder, 'core/member/group-member.js')).href);
}

/** The public library of this build. */
export async function publicLibrary(): Promise<typeof import('../../src/core/index.js')> {
  return import(pathToFileURL(join(OWN, 'core/index.js')).href);
}

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const OWN = join(import.meta.dirname, '../../dist');

/**
 * Loads the built library. The TypeScript loader rewrites sources and makes some functions slower, so the measured code comes from `dist`.
 * The types of the library come from the sources.
 *
 * @param folder the `dist` folder of a build; default: the folder of this build. With two folders, a benchmark compares two builds side by
 *   side.
 */
export async function libraryOf(
  folder = OWN,
): Promise<typeof import('../../src/core/member/group-member.js')> {
  return import(pathToFileURL(join(folder, 'core/member/group-member.js')).href);
}

/** The library of this build, as programs import it. */
export async function publicLibrary(): Promise<typeof import('../../src/core/index.js')> {
  return import(pathToFileURL(join(OWN, 'core/index.js')).href);
}

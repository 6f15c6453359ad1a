import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const OWN = join(import.meta.dirname, '../../dist');

/**
 * The built program. The loader of TypeScript rewrites sources and makes some functions slower. So the measured code comes from `dist`,
 * with the types of the sources.
 *
 * @param folder default: this build; another folder measures two builds side by side.
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

// Writes src/core/lib/version.ts from package.json. Programs that contain the bundled library may have no package.json, so the version is
// part of the code.
import { readFileSync, writeFileSync } from 'node:fs';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const file = new URL('../src/core/lib/version.ts', import.meta.url);
const text = `/** The version of this package. Written by scripts/write-version.js, as part of the build. */
export const VERSION = '${version}';
`;
if (readFileSync(file, 'utf8') !== text) writeFileSync(file, text);

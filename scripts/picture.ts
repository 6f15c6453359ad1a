/** Draws docs/top.svg: the screen of `natspoc top` at the end of a recorded run. Usage: `npm run picture [RECORDING [SVG]]`. */
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const pathOf = (name: string): string => fileURLToPath(new URL(`../docs/${name}`, import.meta.url));
const [recording = pathOf('top.ndjson'), picture = pathOf('top.svg')] = process.argv.slice(2);
const SIZE = { columns: 150, rows: 44 };

// Set before the first use of the time zone, so that the times are the same on every machine.
process.env.TZ = 'UTC';
const { drawReplay } = await import('./draw.js');
const { terminalSvg } = await import('./svg.js');
const { readRecording } = await import('../src/top/sources/recording.js');
const terminal = await drawReplay(await readRecording(recording), SIZE);
await writeFile(picture, terminalSvg(terminal, 'natspoc top'));
console.log(`${picture}: ${SIZE.columns}x${SIZE.rows}`);

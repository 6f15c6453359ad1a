/**
 * Shows in which parts of the program `natspoc publish` and `natspoc consume` spend processor time, according to V8's profiler.
 *
 *     npm run build && node --import tsx bench/profile.ts [--messages 500000] [--size 128] [--json FILE]
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { TestServer } from '../test/support/server.js';
import { describeMachine } from './support/machine.js';
import { usageOf } from './support/process-usage.js';

const { values: options } = parseArgs({
  options: {
    messages: { type: 'string', default: '500000' },
    size: { type: 'string', default: '128' },
    json: { type: 'string' },
  },
});
const PROGRAM = join(import.meta.dirname, '../bin/run.js');

/** A function in a profile. Line and column are counted from 0. */
interface Frame {
  functionName: string;
  url: string;
  lineNumber: number;
  columnNumber: number;
}

/** The part of a `--cpu-prof` file that this script uses. */
interface Profile {
  nodes: { id: number; callFrame: Frame }[];
  samples: number[];
  timeDeltas: number[];
}

const maps = new Map<string, SourceMap>();

/** The source file of a function in a bundle. */
function sourceOf({ url, lineNumber, columnNumber }: Frame): string {
  const file = fileURLToPath(url);
  let map = maps.get(file);
  if (!map) {
    map = new SourceMap(JSON.parse(readFileSync(`${file}.map`, 'utf8')));
    maps.set(file, map);
  }
  const entry = map.findEntry(lineNumber, columnNumber);
  return 'originalSource' in entry ? entry.originalSource : '';
}

function partOf(frame: Frame): string {
  const { functionName, url } = frame;
  if (functionName === '(garbage collector)') return 'garbage collector';
  if (functionName === '(program)') return 'V8 and the system';
  if (url.includes('/dist/') && !url.includes('/node_modules/')) {
    const room = /src\/(core\/[^/]+|[^/]+)/.exec(sourceOf(frame))?.[1] ?? '';
    return `natspoc ${room.replace(/\.ts$/, '')}`;
  }
  const dependency = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1];
  if (dependency) return dependency;
  // Native functions have no file.
  return url.startsWith('node:') ? 'Node' : 'Node, native';
}

/** Milliseconds of self time for each part of the program, without idle time. */
function partsOf({ nodes, samples, timeDeltas }: Profile): Map<string, number> {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const parts = new Map<string, number>();
  for (const [i, id] of samples.entries()) {
    const frame = frames.get(id);
    if (!frame || /^\((idle|root)\)$/.test(frame.functionName)) continue;
    const part = partOf(frame);
    parts.set(part, (parts.get(part) ?? 0) + (timeDeltas[i] ?? 0) / 1_000);
  }
  return parts;
}

async function profiled(server: TestServer, folder: string, args: string[]) {
  const profiles = join(folder, args[0] ?? '');
  const before = usageOf(server.pid).cpuMs;
  const startMs = performance.now();
  const flags = ['--cpu-prof', `--cpu-prof-dir=${profiles}`, PROGRAM, ...args, '--server', server.url];
  const out = openSync(join(folder, 'out'), 'w');
  const child = spawn(process.execPath, flags, { stdio: ['ignore', out, 'ignore'] });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`natspoc ${args[0]} ended with ${code}`);
  const wallMs = performance.now() - startMs;
  const [file = ''] = readdirSync(profiles);
  const parts = partsOf(JSON.parse(readFileSync(join(profiles, file), 'utf8')) as Profile);
  const busyMs = [...parts.values()].reduce((sum, ms) => sum + ms, 0);
  const serverMs = usageOf(server.pid).cpuMs - before;
  const shares = [...parts]
    .map(([part, ms]) => ({ part, percent: Math.round((ms / busyMs) * 1_000) / 10 }))
    .filter(({ percent }) => percent >= 1)
    .sort((a, b) => b.percent - a.percent);
  return { command: args[0], wallMs: Math.round(wallMs), busyMs: Math.round(busyMs), serverMs, shares };
}

const server = new TestServer();
await server.start();
const folder = mkdtempSync(join(tmpdir(), 'natspoc-bench-'));
try {
  const { messages, size } = options;
  const results = [
    await profiled(server, folder, ['publish', '--count', messages, '--size', size, '--quiet']),
    await profiled(server, folder, ['consume', '--count', messages, '--output', 'ndjson']),
  ];
  const machine = describeMachine(server.version);
  console.log(JSON.stringify(machine));
  for (const { command, wallMs, busyMs, serverMs, shares } of results) {
    console.log(
      `\nnatspoc ${command}: ${wallMs} ms, of which ${busyMs} ms busy; the server used ${serverMs} ms of processor time`,
    );
    for (const { part, percent } of shares) console.log(`  ${percent.toFixed(1).padStart(5)} %  ${part}`);
  }
  if (options.json) writeFileSync(options.json, `${JSON.stringify({ machine, results }, null, 2)}\n`);
} finally {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}

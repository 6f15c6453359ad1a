import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const BASE = ['core/lib', 'core/protocol', 'core/ports', 'core/config'];
const LIBRARY = [...BASE, 'core/nats', 'core/publisher', 'core/health', 'core/member', 'core/admin'];

/** The rooms, from the bottom up. Rooms are folders of src. A room may import only from the rooms in its list. */
export const ROOMS: Readonly<Record<string, readonly string[]>> = {
  'core/lib': [],
  'core/protocol': ['core/lib'],
  'core/ports': ['core/lib', 'core/protocol'],
  'core/config': ['core/lib', 'core/protocol'],
  'core/nats': BASE,
  'core/publisher': ['core/lib', 'core/protocol', 'core/ports'],
  'core/health': ['core/lib', 'core/protocol'],
  'core/member': [...BASE, 'core/nats', 'core/health'],
  'core/admin': [...BASE, 'core/nats', 'core/member'],
  'core/options': LIBRARY,
  'core/testing': [...BASE, 'core/nats', 'core/publisher', 'core/member', 'core/options'],
  core: [...LIBRARY, 'core/options'],
  text: ['core'],
  local: ['core', 'text'],
  top: ['core', 'text', 'local'],
  cli: ['core', 'text', 'local'],
  commands: ['core', 'text', 'local', 'top', 'cli'],
};

/** An import of one source file by another. Paths are relative to src. */
export interface Import {
  from: string;
  to: string;
}

const SPECIFIER = /(?:from\s+|import\s+|import\(\s*)'(\.{1,2}\/[^']+)'/g;

/** The source files below a folder. Their paths are relative to it. */
export function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => name.split(path.sep).join('/'));
}

/** Every import of a source file by another, below a folder. */
export function importsBelow(folder: string): Import[] {
  const files = new Set(sourceFiles(folder));
  return [...files].flatMap((from) =>
    [...readFileSync(path.join(folder, from), 'utf8').matchAll(SPECIFIER)].flatMap(([, specifier = '']) => {
      const target = path.posix.join(path.posix.dirname(from), specifier);
      const to = [target.replace(/\.js$/, '.ts'), target.replace(/\.js$/, '.tsx')].find((each) =>
        files.has(each),
      );
      return to ? [{ from, to }] : [];
    }),
  );
}

/** The room to which a source file belongs. */
export function roomOf(file: string): string {
  const [first = '', second = '', ...rest] = file.split('/');
  return first === 'core' && rest.length > 0 ? `core/${second}` : first;
}

/** Imports between rooms that the table does not permit. */
export function againstTheDirection(imports: readonly Import[]): Import[] {
  return imports.filter(({ from, to }) => {
    const [room, other] = [roomOf(from), roomOf(to)];
    if (room === other) return false;
    const permitted = ROOMS[room] ?? [];
    // Rooms above the core may use all rooms of the core.
    return !permitted.some((each) => each === other || (each === 'core' && other.startsWith('core/')));
  });
}

/** Rooms that import each other in a cycle, one cycle per line. */
export function cycles(imports: readonly Import[]): string[] {
  const edges = new Map<string, Set<string>>();
  for (const { from, to } of imports) {
    const [room, other] = [roomOf(from), roomOf(to)];
    if (room !== other) edges.set(room, (edges.get(room) ?? new Set()).add(other));
  }
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (room: string, path: readonly string[]): void => {
    const at = path.indexOf(room);
    if (at >= 0) {
      found.push([...path.slice(at), room].join(' -> '));
      return;
    }
    if (done.has(room)) return;
    for (const next of edges.get(room) ?? []) visit(next, [...path, room]);
    done.add(room);
  };
  for (const room of edges.keys()) visit(room, []);
  return found;
}

/** Every file that a file imports, directly or through other files. */
export function reachedFrom(start: string, imports: readonly Import[]): Set<string> {
  const reached = new Set([start]);
  // The iteration of a set includes elements that are added during it.
  for (const file of reached) for (const { from, to } of imports) if (from === file) reached.add(to);
  return reached;
}

// Keeps in dist/core the declarations on which the library's public types depend, and deletes all others, so that programs cannot use
// internal classes and functions. Each file also gets a copy as `.d.cts`, because TypeScript before 5.8 otherwise refuses an import from
// CommonJS.
//
// The compiler writes each declaration at the start of a line, so no parser is needed.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '../dist/core');
const ENTRIES = ['index.d.ts', 'testing/index.d.ts'].map((name) => join(root, name));

const DECLARATION =
  /^(?:export )?(?:declare )?(?:abstract )?(?:class|interface|type|function|const|enum) (\w+)/;
const CLAUSE = /^(?:import|export) (?:type )?\{([^}]*)\} from '([^']+)';$/;

/** The contents of a file, in order: declarations, imports and re-exports, each with the comment above it. */
function parse(file) {
  const statements = [];
  let comment = '';
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const isInside = comment !== '' && !/(?:\*\/|\/\/\/.*)\n$/.test(comment);
    if (isInside || /^(?:\/\*\*|\/\/\/)/.test(line)) {
      comment += `${line}\n`;
    } else if (/^(?:export|import|declare|interface|type) ?/.test(line) || statements.length === 0) {
      statements.push(comment + line);
      comment = '';
    } else {
      // The comment is inside a declaration, before a member of a union.
      statements.push(`${statements.pop()}\n${comment}${line}`);
      comment = '';
    }
  }
  return statements.map((text) => describe(file, text.trimEnd()));
}

function describe(file, text) {
  const code = text.replaceAll(/\/\*[\s\S]*?\*\/|^\/\/\/.*$/gm, '').trim();
  const [, names, from] = CLAUSE.exec(code.replaceAll(/\s+/g, ' ')) ?? [];
  if (names !== undefined) {
    const path = join(dirname(file), from).replace(/\.js$/, '.d.ts');
    const specifiers = names
      .split(',')
      .map((each) => each.trim())
      .filter(Boolean);
    const target = from.startsWith('.') && existsSync(path) ? path : undefined;
    return { text, kind: code.startsWith('import') ? 'import' : 'passed', specifiers, from, target };
  }
  const [, name] = DECLARATION.exec(code) ?? [];
  if (name === undefined) return { text, kind: 'other' };
  const used = new Set(code.replaceAll(/'[^'\n]*'/g, '').match(/[A-Za-z_$][\w$]*/g));
  return { text, kind: 'declared', name, used };
}

/** The name that a specifier has in the other file, and its name in this file. */
function namesOf(specifier) {
  const [name, alias = name] = specifier.replace(/^type /, '').split(' as ');
  return { name, alias };
}

const files = new Map();
const wanted = new Map();
const open = [];

function want(file, name) {
  if (!files.has(file)) {
    files.set(file, parse(file));
    wanted.set(file, new Set());
  }
  if (wanted.get(file).has(name)) return;
  wanted.get(file).add(name);
  open.push([file, name]);
}

for (const entry of ENTRIES) {
  want(entry, '');
  for (const statement of files.get(entry)) {
    if (statement.kind === 'declared') want(entry, statement.name);
    for (const specifier of statement.kind === 'passed' ? statement.specifiers : [])
      want(entry, namesOf(specifier).alias);
  }
}
for (let next = open.pop(); next; next = open.pop()) {
  const [file, wish] = next;
  for (const statement of files.get(file)) {
    if (statement.kind === 'declared' && statement.name === wish)
      for (const name of statement.used) want(file, name);
    for (const specifier of statement.target ? statement.specifiers : []) {
      const { name, alias } = namesOf(specifier);
      if (alias === wish) want(statement.target, name);
    }
  }
}

/** The part of a statement that is kept; undefined if no part is kept. */
function kept(file, { text, kind, name, specifiers, from }) {
  const names = wanted.get(file);
  if (kind === 'declared') return names.has(name) ? text : undefined;
  if (kind === 'other') return text;
  const left = specifiers.filter((each) => names.has(namesOf(each).alias));
  if (left.length === 0) return undefined;
  if (left.length === specifiers.length) return text;
  const [head = ''] = /(?:import|export) (?:type )?\{/.exec(text) ?? [];
  return `${head} ${left.join(', ')} } from '${from}';`;
}

for (const path of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
  const file = join(root, path);
  if (!file.endsWith('.d.ts')) continue;
  const texts = (files.get(file) ?? []).map((each) => kept(file, each)).filter((each) => each !== undefined);
  if (!texts.some((text) => text !== '' && text !== 'export {};')) {
    rmSync(file);
    continue;
  }
  const text = `${texts.join('\n')}\n`;
  writeFileSync(file, text);
  writeFileSync(file.replace(/\.d\.ts$/, '.d.cts'), text.replaceAll(/(from '\..*)\.js'/g, "$1.cjs'"));
}

import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { BATCH_ALLOWED, batchLimits, isBatch } from '../../core/config/batch.js';
import { messageOf, NatspocError } from '../../core/lib/errors.js';
import { asObject } from '../../core/lib/json.js';
import type { BatchHandler, Handler, InBatches } from '../../core/member/partition/handler.js';

const TYPESCRIPT = new Set(['.ts', '.mts', '.cts', '.tsx']);
/** Error codes if the handler's module, or a module that it imports, is missing or has an unknown type. */
const UNRESOLVED = new Set([
  'ERR_MODULE_NOT_FOUND',
  'MODULE_NOT_FOUND',
  'ERR_PACKAGE_PATH_NOT_EXPORTED',
  'ERR_UNKNOWN_FILE_EXTENSION',
]);

const isBatchHandler = (value: unknown): value is BatchHandler => typeof value === 'function';
const isHandler = (value: unknown): value is Handler => typeof value === 'function';

/**
 * Loads a handler from a module. The handler is the default export, or an export named `handler` or `batchHandler`. An export `batch`
 * limits batches. TypeScript is compiled without checking types.
 *
 * @param file a path, relative to the working folder.
 * @throws NatspocError `config` if a restart would not help: the file is missing, cannot be compiled, imports a missing module, or exports
 *   no function. `handler-failed` if the module throws while it is loaded, for example because a database is down.
 */
export async function loadHandler(file: string): Promise<Handler | InBatches> {
  const path = resolve(file);
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) throw new NatspocError('config', `--handler: there is no file ${file}.`);
  // Reading a pipe or a device may never end.
  if (!found.isFile()) throw new NatspocError('config', `--handler: ${file} is not a regular file.`);
  let loaded: unknown;
  try {
    loaded = TYPESCRIPT.has(extname(path))
      ? await loadTypeScript(path)
      : await import(pathToFileURL(path).href);
  } catch (cause) {
    const code = isBroken(cause) ? 'config' : 'handler-failed';
    const message = `--handler: ${file} cannot be loaded: ${explain(cause, path)}.`;
    throw new NatspocError(code, message, { cause });
  }
  const handler = handlerOf(loaded, file);
  if (handler) return handler;
  const message = `--handler: ${file} exports no handler. Write "export default async (message, context) => { … }".`;
  throw new NatspocError('config', message);
}

/** Loads the compiler only when it is needed, because it takes 15 MB. */
async function loadTypeScript(path: string): Promise<unknown> {
  const { createJiti } = await import('jiti');
  return createJiti(import.meta.url, { interopDefault: false }).import(path);
}

/** Finds the handler among a module's exports. A CommonJS module may have it in the `default` of its default export. */
function handlerOf(loaded: unknown, file: string): Handler | InBatches | undefined {
  const exported = asObject(loaded);
  if (!exported) return undefined;
  const { default: main, handler, batchHandler, batch = {} } = exported;
  if (isBatchHandler(batchHandler)) {
    if (isHandler(main) || isHandler(handler))
      throw new NatspocError(
        'config',
        `--handler: ${file} exports a handler and a batchHandler: leave one of them out.`,
      );
    if (isBatch(batch)) return { handler: batchHandler, limits: batchLimits(batch) };
    throw new NatspocError('config', `--handler: the batch of ${file} is not ${BATCH_ALLOWED}.`);
  }
  if (isHandler(main)) return main;
  if (isHandler(handler)) return handler;
  return main === loaded ? undefined : handlerOf(main, file);
}

/** True if a file cannot be compiled. A SyntaxError of JSON.parse does not count. */
const isSyntaxError = (error: unknown): boolean =>
  (error instanceof SyntaxError && !/^\s*at JSON\.parse\b/m.test(error.stack ?? '')) ||
  /^ParseError/.test(messageOf(error));

/** True if the module could not start to run. A restart would fail in the same way. */
function isBroken(error: unknown): boolean {
  const { code }: { code?: unknown } = Object(error);
  return isSyntaxError(error) || (typeof code === 'string' && UNRESOLVED.has(code));
}

/** Describes a load error in one line, with the place in the file if it is known. */
function explain(error: unknown, path: string): string {
  const lines = messageOf(error)
    .split('\n')
    .map((line) => line.trim());
  const text = (lines[0] ?? '').replace(/^\w*Error: /, '').replace(/\.$/, '');
  if (!isSyntaxError(error)) return text;
  // The TypeScript compiler gives the place of a syntax error in its second line. Node prints the place only on stderr.
  const place = lines.find((line) => /^\/?\S+:\d+:\d+$/.test(line)) ?? placeOfSyntaxError(path);
  return `syntax error: ${text}${place ? ` (${place})` : ''}`;
}

function placeOfSyntaxError(path: string): string | undefined {
  const { stderr } = spawnSync(process.execPath, ['--check', path], { encoding: 'utf8' });
  return /^(?:file:\/\/)?(\S+:\d+)$/m.exec(stderr ?? '')?.[1];
}

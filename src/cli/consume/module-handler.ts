import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { BATCH_ALLOWED, batchLimits, isBatch } from '../../core/config/batch.js';
import { messageOf, NatspocError } from '../../core/lib/errors.js';
import { asObject } from '../../core/lib/json.js';
import type { BatchHandler, Handler, InBatches } from '../../core/member/partition/handler.js';

const TYPESCRIPT = new Set(['.ts', '.mts', '.cts', '.tsx']);

const isBatchHandler = (value: unknown): value is BatchHandler => typeof value === 'function';
const isHandler = (value: unknown): value is Handler => typeof value === 'function';

/**
 * Loads a handler from a module, once: its default export, or an export named `handler` or `batchHandler`; the limits of
 * batches are the export `batch`. TypeScript is compiled without checking types.
 *
 * @param file a path, from the working folder.
 * @throws NatspocError `handler-failed`, with one line, if it cannot be loaded or exports no function.
 */
export async function loadHandler(file: string): Promise<Handler | InBatches> {
  const path = resolve(file);
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) throw new NatspocError('handler-failed', `--handler: there is no file ${file}.`);
  // Reading a pipe or a device may never end.
  if (!found.isFile()) throw new NatspocError('handler-failed', `--handler: ${file} is not a regular file.`);
  let loaded: unknown;
  try {
    loaded = TYPESCRIPT.has(extname(path))
      ? await loadTypeScript(path)
      : await import(pathToFileURL(path).href);
  } catch (cause) {
    throw new NatspocError(
      'handler-failed',
      `--handler: ${file} cannot be loaded: ${explain(cause, path)}.`,
      {
        cause,
      },
    );
  }
  const handler = handlerOf(loaded, file);
  if (handler) return handler;
  const message = `--handler: ${file} exports no handler. Write "export default async (message, context) => { … }".`;
  throw new NatspocError('handler-failed', message);
}

/** Loads the compiler only when it is needed: it takes 15 MB. */
async function loadTypeScript(path: string): Promise<unknown> {
  const { createJiti } = await import('jiti');
  return createJiti(import.meta.url, { interopDefault: false }).import(path);
}

/** The handler among a module's exports; a CommonJS module may have its own `default` inside. */
function handlerOf(loaded: unknown, file: string): Handler | InBatches | undefined {
  const exported = asObject(loaded);
  if (!exported) return undefined;
  const { default: main, handler, batchHandler, batch = {} } = exported;
  if (isBatchHandler(batchHandler)) {
    if (isHandler(main) || isHandler(handler))
      throw new NatspocError(
        'handler-failed',
        `--handler: ${file} exports a handler and a batchHandler: leave one of them out.`,
      );
    if (isBatch(batch)) return { handler: batchHandler, limits: batchLimits(batch) };
    throw new NatspocError('handler-failed', `--handler: the batch of ${file} is not ${BATCH_ALLOWED}.`);
  }
  if (isHandler(main)) return main;
  if (isHandler(handler)) return handler;
  return main === loaded ? undefined : handlerOf(main, file);
}

/** A load error in one line, with its place if known. */
function explain(error: unknown, path: string): string {
  const lines = messageOf(error)
    .split('\n')
    .map((line) => line.trim());
  const text = (lines[0] ?? '').replace(/^\w*Error: /, '').replace(/\.$/, '');
  const syntax = error instanceof SyntaxError || /^ParseError/.test(lines[0] ?? '');
  if (!syntax) return text;
  // The compiler gives the place in its second line; Node gives it only when it runs the file.
  const place = lines.find((line) => /^\/?\S+:\d+:\d+$/.test(line)) ?? placeOfSyntaxError(path);
  return `syntax error: ${text}${place ? ` (${place})` : ''}`;
}

function placeOfSyntaxError(path: string): string | undefined {
  const { stderr } = spawnSync(process.execPath, ['--check', path], { encoding: 'utf8' });
  return /^(?:file:\/\/)?(\S+:\d+)$/m.exec(stderr ?? '')?.[1];
}

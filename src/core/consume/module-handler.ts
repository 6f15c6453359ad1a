import { existsSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createJiti } from 'jiti';
import { messageOf, NatspocError } from '../errors.js';
import type { Handler } from './handler.js';

const TYPESCRIPT = new Set(['.ts', '.mts', '.cts', '.tsx']);

const isHandler = (value: unknown): value is Handler => typeof value === 'function';

/**
 * Loads a handler from a module, once: its default export, or an export named `handler`. TypeScript is
 * compiled on the way, without checking types.
 *
 * @param file a path, from the working folder.
 * @throws NatspocError `handler-failed` where it cannot be loaded or exports no function, in one line.
 */
export async function loadHandler(file: string): Promise<Handler> {
  const path = resolve(file);
  if (!existsSync(path)) throw new NatspocError('handler-failed', `--handler: there is no file ${file}.`);
  let loaded: unknown;
  try {
    loaded = TYPESCRIPT.has(extname(path))
      ? await createJiti(import.meta.url, { interopDefault: false }).import(path)
      : await import(pathToFileURL(path).href);
  } catch (cause) {
    throw new NatspocError('handler-failed', `--handler: ${file} cannot be loaded: ${explain(cause)}.`, {
      cause,
    });
  }
  const handler = handlerOf(loaded);
  if (handler) return handler;
  const message = `--handler: ${file} exports no handler. Write "export default async (message, context) => { … }".`;
  throw new NatspocError('handler-failed', message);
}

/** The handler among a module's exports; a CommonJS module may have its own `default` inside. */
function handlerOf(loaded: unknown): Handler | undefined {
  if (typeof loaded !== 'object' || loaded === null) return undefined;
  const { default: main, handler } = loaded as { default?: unknown; handler?: unknown };
  if (isHandler(main)) return main;
  if (isHandler(handler)) return handler;
  return typeof main === 'object' && main !== null && main !== loaded ? handlerOf(main) : undefined;
}

/** An error of loading in one line, with the place where the loader tells it. */
function explain(error: unknown): string {
  const [first = ''] = messageOf(error).trim().split('\n');
  const text = error instanceof SyntaxError && !/syntax/i.test(first) ? `syntax error: ${first}` : first;
  // Node puts the file and line of a syntax error above its stack.
  const place =
    error instanceof Error ? /^(?:file:\/\/)?(\/\S+:\d+)$/m.exec(error.stack ?? '')?.[1] : undefined;
  return (place && !text.includes(place) ? `${text} (${place})` : text).replace(/\.$/, '');
}

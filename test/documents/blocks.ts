import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A fenced block of a document. */
export interface Block {
  /** File and line, for messages. */
  where: string;
  language: string;
  text: string;
  /** The text of the HTML comment right above the block; undefined if there is none. */
  note: string | undefined;
}

/** The path of a file of this project. */
export const inProject = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** The text of a file of this project. */
export const readProject = (path: string): string => readFileSync(inProject(path), 'utf8');

/** The fenced blocks of a document of this project, in order. */
export function blocksOf(path: string): Block[] {
  const text = readProject(path);
  const blocks: Block[] = [];
  for (const match of text.matchAll(/(?:^<!-- (.+?) -->\n+)?^```(\w*)\n([\s\S]*?)^```$/gm)) {
    const [whole, note, language = '', body = ''] = match;
    const before = text.slice(0, match.index) + whole.slice(0, whole.indexOf('```'));
    blocks.push({ where: `${path}:${before.split('\n').length}`, language, text: body, note });
  }
  return blocks;
}

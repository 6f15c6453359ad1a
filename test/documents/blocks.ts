import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A fenced block of a document. */
export interface Block {
  /** For messages: the file and the line. */
  where: string;
  language: string;
  text: string;
  /** The text of the HTML comment right above the block. Undefined without one. */
  note: string | undefined;
}

/** The absolute path of a file of this project. */
export const inProject = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

export const readProject = (path: string): string => readFileSync(inProject(path), 'utf8');

/** The fenced blocks of a document, in order. */
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

/**
 * Paragraphs that are written over several lines, as help wants them: a line for each, which it wraps to the width of the
 * terminal. Empty lines part them.
 */
export function prose(text: string): string {
  return text
    .split(/\n{2,}/)
    .map((paragraph) => paragraph.replaceAll('\n', ' '))
    .join('\n\n');
}

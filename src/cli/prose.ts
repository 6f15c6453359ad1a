/** Joins the lines of each paragraph, because oclif wraps help to the width of the terminal. */
export function prose(text: string): string {
  return text
    .split(/\n{2,}/)
    .map((paragraph) => paragraph.replaceAll('\n', ' '))
    .join('\n\n');
}

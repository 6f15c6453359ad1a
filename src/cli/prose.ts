/**
 * Joins the lines of each paragraph, because help wraps them to the width of the terminal. Empty lines separate paragraphs.
 */
export function prose(text: string): string {
  return text
    .split(/\n{2,}/)
    .map((paragraph) => paragraph.replaceAll('\n', ' '))
    .join('\n\n');
}

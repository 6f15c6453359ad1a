import { NatspocError } from '../../core/lib/errors.js';

const OWN_HEADERS: Record<string, string> = { 'natspoc-key': '--key', 'nats-msg-id': '--id' };

/**
 * Reads the values of `--header`, each of the form `Name: value`, into a record.
 *
 * @throws NatspocError `usage` if a value has another form, or if another flag sets the header.
 */
export function readHeaders(lines: readonly string[] | undefined): Record<string, string> | undefined {
  if (lines === undefined || lines.length === 0) return undefined;
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).trim();
    if (colon < 1) throw new NatspocError('usage', `-H: ${JSON.stringify(line)} is not Name:value.`);
    const instead = OWN_HEADERS[name.toLowerCase()];
    if (instead) throw new NatspocError('usage', `-H: ${name} is set by ${instead}.`);
    headers[name] = line.slice(colon + 1).trim();
  }
  return headers;
}

import type { ConsumerInfo } from 'nats';

/**
 * Describes how another client has changed a reader. Returns undefined if the reader still delivers whole messages of
 * `subject`.
 */
export function changeOf({ config, paused }: ConsumerInfo, subject: string): string | undefined {
  const filters = config.filter_subjects ?? [config.filter_subject ?? '>'];
  if (filters.length !== 1 || filters[0] !== subject)
    return `its reader was changed to deliver messages of ${filters.join(', ')}`;
  if (config.headers_only === true) return 'its reader was changed to leave out payloads';
  return paused === true ? 'its reader was paused' : undefined;
}

import { CONNECTION } from './connection.js';
import { EXPORTER } from './exporter.js';
import { GROUP } from './group.js';
import { HANDLING } from './handling.js';
import { LOGGING } from './logging.js';
import { PUBLISHING } from './publishing.js';
import { STREAM } from './stream.js';

/** Every setting that more than one command reads. A flag of a single command is defined in that command. */
export const SETTINGS = {
  ...CONNECTION,
  ...STREAM,
  ...GROUP,
  ...HANDLING,
  ...PUBLISHING,
  ...EXPORTER,
  ...LOGGING,
} as const;

/** The key of a setting. */
export type SettingName = keyof typeof SETTINGS;

import type { NatspocError } from '../lib/errors.js';

const ABOUT_THE_GROUP: ReadonlySet<string> = new Set([
  'layout-mismatch',
  'config',
  'failed',
  'group-missing',
]);

/** True for an error that concerns only one group. */
export const isAboutTheGroup = ({ code }: NatspocError): boolean => ABOUT_THE_GROUP.has(code);

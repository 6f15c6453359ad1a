import { NatspocError } from '../../core/lib/errors.js';
import type { OutgoingMessage } from '../../core/publisher/types.js';
import type { MessageSource } from './source.js';
import { compileTemplate } from './template.js';

const KEY = /\{\{\s*key\s*\}\}/;

/**
 * Gives each message of a source a subject. `subject` is a template, in which `{{key}}` is the message's key.
 *
 * @throws NatspocError `usage` for a bad template.
 */
export function withSubject(source: MessageSource, subject: string): MessageSource {
  const parts = subject.split(KEY).map((text) => (text === '' ? () => '' : compileTemplate(text)));
  let count = 0;
  const add = (message: OutgoingMessage | undefined): OutgoingMessage | undefined => {
    if (!message) return undefined;
    count++;
    const { key = null } = message;
    if (parts.length > 1 && key === null)
      throw new NatspocError('usage', '--subject: {{key}} needs a key: give --key, --keys or --key-field.');
    return { ...message, subject: parts.map((part) => part(count)).join(key ?? '') };
  };
  return {
    get skipped() {
      return source.skipped;
    },
    get place() {
      return source.place;
    },
    next() {
      const next = source.next();
      return next instanceof Promise ? next.then(add) : add(next);
    },
    close: () => source.close(),
  };
}

import { inWords } from './in-words.js';

/**
 * All error codes of natspoc, each with the exit code of a process that ends with this error:
 *
 * | exit | meaning                                                             |
 * | ---- | ------------------------------------------------------------------- |
 * | 0    | done                                                                |
 * | 1    | failed                                                              |
 * | 2    | usage or configuration                                              |
 * | 3    | cannot reach NATS                                                   |
 * | 4    | refused: layout mismatch, not confirmed, not permitted              |
 * | 5    | a check found loss, disorder or an unhealthy group                  |
 */
const EXIT_CODES = {
  failed: 1,
  'storage-failed': 1,
  'stream-missing': 1,
  'group-missing': 1,
  'handler-failed': 1,
  usage: 2,
  config: 2,
  unreachable: 3,
  'server-missing': 3,
  'jetstream-disabled': 3,
  'layout-mismatch': 4,
  'not-confirmed': 4,
  'not-permitted': 4,
  'authentication-failed': 4,
  'members-alive': 4,
  'check-failed': 5,
} as const;

/** The closed set of error codes; see {@link NatspocError}. */
export type ErrorCode = keyof typeof EXIT_CODES;

/**
 * An error that a user can act on. `message` is one or two plain lines with the cause and the remedy; `cause` keeps the
 * original error for `DEBUG`.
 */
export class NatspocError extends Error {
  override readonly name = 'NatspocError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }

  /** The exit code of a process that ends with this error, 1 to 5. */
  get exitCode(): number {
    return EXIT_CODES[this.code];
  }
}

/**
 * The message of any thrown value, or the value as text if it has no message. If an Error has an empty message, returns its name and code.
 * Never throws.
 */
export function messageOf(error: unknown): string {
  try {
    if (error instanceof Error) return String(error.message) || nameOf(error);
    const text = String(error);
    if (text !== '[object Object]') return text;
    const { message }: { message?: unknown } = Object(error);
    return typeof message === 'string' && message !== '' ? message : inWords(error);
  } catch {
    // The object has no prototype, or its own methods throw.
    return 'a value that cannot be converted to a string was thrown';
  }
}

function nameOf(error: Error): string {
  const { code }: Error & { code?: unknown } = error;
  return typeof code === 'string' ? `${error.name} (${code})` : error.name;
}

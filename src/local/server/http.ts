/** Bounds of a download. */
export interface DownloadOptions {
  /** Timeout until the answer starts, in milliseconds. */
  answerTimeoutMs: number;
  /** Maximum time between two parts of the answer, in milliseconds. Default 30,000. */
  idleTimeoutMs?: number;
  limitBytes: number;
}

function codeOf(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  if ('code' in error && typeof error.code === 'string') return error.code;
  return codeOf(error.cause);
}

/**
 * Downloads the body of a URL.
 *
 * @throws Error with the reason: the host is unreachable or slow, the status is not 2xx, the body is too large, or the connection ends
 *   early.
 */
export async function download(url: string, options: DownloadOptions): Promise<Buffer> {
  const controller = new AbortController();
  const abortAfter = (ms: number) => setTimeout(() => controller.abort(), ms);
  let timer = abortAfter(options.answerTimeoutMs);
  let answered = false;
  try {
    const response = await fetch(url, { signal: controller.signal });
    answered = true;
    if (!response.ok || response.body === null) throw new Error(`${url} answered ${response.status}`);
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of response.body) {
      clearTimeout(timer);
      timer = abortAfter(options.idleTimeoutMs ?? 30_000);
      bytes += chunk.byteLength;
      if (bytes > options.limitBytes) throw new Error(`${url} is larger than ${options.limitBytes} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } catch (error) {
    if (controller.signal.aborted) {
      const why = answered ? 'stopped sending' : `no answer within ${options.answerTimeoutMs / 1000} s`;
      throw new Error(why, { cause: error });
    }
    const code = codeOf(error);
    if (code === null) throw error;
    const why = answered ? 'the connection ended early' : 'cannot be reached';
    throw new Error(`${why} (${code})`, { cause: error });
  } finally {
    clearTimeout(timer);
    // Frees the connection if the body was not read completely.
    controller.abort();
  }
}

const pad = (value: number, width = 2): string => String(value).padStart(width, '0');

/** Makes a function that computes a text only once for times in the same millisecond. */
function perMillisecond(compute: (ms: number) => string): (ms: number) => string {
  let [lastMs, text] = [Number.NaN, ''];
  return (ms) => {
    const whole = Math.floor(ms);
    if (whole !== lastMs) [lastMs, text] = [whole, compute(whole)];
    return text;
  };
}

/** ISO 8601 in UTC, for programs. Messages stored in the same millisecond share the text. */
export const isoText = perMillisecond((ms) => new Date(ms).toISOString());

/**
 * A time for people: the time of day in the time zone of this process (TZ, `--utc`), such as `03:49:43`. On a day other than that of
 * `nowMs`, the date is added: `2026-11-28 23:10:07.120`.
 *
 * @param millis with milliseconds.
 */
export function timeOfDay(atMs: number, millis = false, nowMs = Date.now()): string {
  const at = new Date(atMs);
  const time = `${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;
  const whole = millis ? `${time}.${pad(at.getMilliseconds(), 3)}` : time;
  return at.toDateString() === new Date(nowMs).toDateString() ? whole : `${dateOf(at)} ${whole}`;
}

/** {@link timeOfDay} with milliseconds, for many messages. */
export const timeText = perMillisecond((ms) => timeOfDay(ms, true));

const dateOf = (at: Date): string =>
  `${pad(at.getFullYear(), 4)}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`;

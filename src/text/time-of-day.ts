const pad = (value: number, width = 2): string => String(value).padStart(width, '0');

/** Wraps `compute` so that times in the same millisecond share a text. */
function perMillisecond(compute: (ms: number) => string): (ms: number) => string {
  let [lastMs, text] = [Number.NaN, ''];
  return (ms) => {
    const whole = Math.floor(ms);
    if (whole !== lastMs) [lastMs, text] = [whole, compute(whole)];
    return text;
  };
}

/** ISO 8601 in UTC, for programs. */
export const isoText = perMillisecond((ms) => new Date(ms).toISOString());

/**
 * A time of day for people, in the time zone of this process (TZ, `--utc`), such as `03:49:43`. If the day is not that of `nowMs`, the date
 * is added: `2026-11-28 23:10:07.120`.
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

import { useEffect, useRef, useState } from 'react';
import type { Feed } from '../feed.js';
import type { Model } from '../model/model.js';
import { figuresEveryMs } from './draw-interval.js';

/** Events are collected for this long before they are drawn. */
const GATHER_MS = 50;
/**
 * Minimum interval between redraws for changes that an operator waits for. Changes of numbers alone are drawn less often, so that a busy
 * group costs no more than a quiet group. The effect of a key is drawn immediately.
 */
const DRAW_NEWS_EVERY_MS = 400;
/** A model that is younger than this is drawn unchanged, because its ages are accurate enough. */
const RECENT_MS = 500;
/** Ages and the clock change without events, so they are drawn at this interval. */
const TICK_MS = 1_000;

/** True if anything other than figures has changed. */
const hasNews = (before: Model, after: Model): boolean =>
  before.group !== after.group ||
  before.connection.state !== after.connection.state ||
  before.missing !== after.missing ||
  before.problems !== after.problems ||
  // The first figures are drawn at once.
  before.stream === null ||
  before.lag.length < 2 ||
  before.replay !== after.replay;

/** The current model, updated whenever the screen is to be drawn. Polls every `intervalMs`. */
export function useModel(feed: Feed, intervalMs: number): Model {
  const [model, setModel] = useState(feed.model);
  const drawing = useRef({ since: 0, tookMs: 0 });
  // This effect runs after the frame was written.
  useEffect(() => {
    const { current } = drawing;
    if (current.since > 0) current.tookMs = performance.now() - current.since;
    current.since = 0;
  });
  useEffect(() => {
    let cameAt = performance.now();
    let drawnAt = 0;
    let timer: NodeJS.Timeout | undefined;
    let dueAt = 0;
    let drawn = feed.model;
    const draw = () => {
      timer = undefined;
      drawn = feed.model;
      drawnAt = performance.now();
      // In a replay only the feed advances the time.
      const passed = feed.model.replay ? 0 : drawnAt - cameAt;
      drawing.current.since = drawnAt;
      // Pass the same object if the model is recent, so that its status is not computed again.
      setModel(passed < RECENT_MS ? feed.model : { ...feed.model, now: feed.model.now + passed });
    };
    const drawWithin = (intervalMs: number) => {
      const now = performance.now();
      const wanted = Math.max(now + GATHER_MS, drawnAt + intervalMs);
      if (timer && dueAt <= wanted) return;
      clearTimeout(timer);
      dueAt = wanted;
      timer = setTimeout(draw, wanted - now);
    };
    feed.listen((known) => {
      cameAt = performance.now();
      drawWithin(hasNews(drawn, known) ? DRAW_NEWS_EVERY_MS : figuresEveryMs(drawing.current.tookMs));
    });
    const ticker = setInterval(() => drawWithin(figuresEveryMs(drawing.current.tookMs)), TICK_MS);
    return () => {
      clearTimeout(timer);
      clearInterval(ticker);
      feed.stop();
    };
  }, [feed]);
  useEffect(() => feed.every(intervalMs), [feed, intervalMs]);
  return model;
}

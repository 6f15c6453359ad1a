import { useEffect, useRef, useState } from 'react';
import type { Feed } from '../feed.js';
import type { Model } from '../model/model.js';
import { figuresEveryMs } from './draw-interval.js';

/** Events are collected for this long before they are drawn. */
const GATHER_MS = 50;
/**
 * Minimum interval between redraws. If only numbers changed, the interval is longer. Otherwise a busy group would cost more than a quiet
 * one. The effect of a key is drawn immediately.
 */
const DRAW_NEWS_EVERY_MS = 400;
/** The ages in a model that is younger than this are accurate enough. */
const RECENT_MS = 500;
/** Ages and the clock change without events. They are drawn at this interval. */
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

/** The model to draw. Polls every `intervalMs`. */
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
      // If the model is the same object, its status is not computed again.
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

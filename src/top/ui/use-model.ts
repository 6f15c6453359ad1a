import { useEffect, useState } from 'react';
import type { Feed } from '../feed.js';
import type { Model } from '../model/model.js';

/** Events are collected for this long before they are drawn. */
const GATHER_MS = 50;
/** Minimum interval of redraws, so that a busy group costs no more than a quiet one. Keys are drawn immediately. */
const DRAW_EVERY_MS = 400;
/** Ages and the clock change without events. */
const TICK_MS = 1_000;

/** The current model, at a rate that is worth drawing; polls every `intervalMs`. */
export function useModel(feed: Feed, intervalMs: number): Model {
  const [model, setModel] = useState(feed.model);
  useEffect(() => {
    let cameAt = performance.now();
    let drawnAt = 0;
    let timer: NodeJS.Timeout | undefined;
    const draw = () => {
      timer = undefined;
      drawnAt = performance.now();
      // Time stands still in a replay that is paused.
      const passed = feed.model.replay ? 0 : drawnAt - cameAt;
      setModel({ ...feed.model, now: feed.model.now + passed });
    };
    const drawSoon = () => {
      timer ??= setTimeout(draw, Math.max(GATHER_MS, DRAW_EVERY_MS - (performance.now() - drawnAt)));
    };
    feed.listen(() => {
      cameAt = performance.now();
      drawSoon();
    });
    const ticker = setInterval(drawSoon, TICK_MS);
    return () => {
      clearTimeout(timer);
      clearInterval(ticker);
      feed.stop();
    };
  }, [feed]);
  useEffect(() => feed.every(intervalMs), [feed, intervalMs]);
  return model;
}

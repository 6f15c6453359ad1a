import { totalsOf } from '../../core/admin/group-status.js';
import type { Model } from '../model/model.js';
import { ratesOf, statusOf } from '../model/select.js';
import type { Series } from '../model/series.js';
import { aboutLag, BARS, rate } from './format.js';
import { type Color, type Line, padTo, type Span, span } from './text.js';
import { stepFor } from './timeline.js';

const LABEL_WIDTH = 12;
const EIGHTHS = BARS.length;

/** Room above the highest value. Otherwise a steady value would fill the panel. */
const HEADROOM = 1.25;
/** Minimum of the scale. Otherwise small values would look large. */
const LEAST_TOP = 20;

interface Graph {
  name: string;
  value: string;
  color: Color;
  series: Series;
  /** The value that a bar of full height represents. */
  top: number;
}

/** The quantities of a group over time. The rates share one scale. */
export function graphsOf(model: Model): Graph[] {
  const { lag, rates } = model;
  const { published, handled } = ratesOf(model);
  const totals = totalsOf(statusOf(model));
  const topOf = (...all: Series[]) =>
    HEADROOM * Math.max(LEAST_TOP, ...all.flatMap((series) => series.map(({ value }) => value)));
  const top = topOf(rates.published, rates.handled);
  return [
    { name: 'published', value: rate(published), color: 'green', series: rates.published, top },
    { name: 'handled', value: rate(handled), color: 'cyan', series: rates.handled, top },
    {
      name: 'lag',
      value: aboutLag(totals.lag, totals.lagIsEstimate),
      color: 'yellow',
      series: lag,
      top: topOf(lag),
    },
  ];
}

/** The last known value at the end of each interval up to `end`, oldest first. Undefined before the first value. */
export function columnsOf(
  series: Series,
  end: number,
  stepMs: number,
  columns: number,
): (number | undefined)[] {
  const values: (number | undefined)[] = [];
  let index = -1;
  for (let column = 1; column <= columns; column++) {
    const until = end - (columns - column) * stepMs;
    while ((series[index + 1]?.at ?? Number.POSITIVE_INFINITY) <= until) index++;
    values.push(series[index]?.value);
  }
  return values;
}

/** Bars in eighths of a line, `height` lines high. The bar of the value `top` has the full height. */
export function barLines(values: readonly (number | undefined)[], top: number, height: number): string[] {
  return Array.from({ length: height }, (_, row) => {
    const below = (height - 1 - row) * EIGHTHS;
    return values
      .map((value) => {
        if (value === undefined) return ' ';
        // Any value above 0 is visible.
        const filled = Math.max(value > 0 ? 1 : 0, Math.round((value / top) * height * EIGHTHS));
        return filled <= below ? ' ' : (BARS[Math.min(EIGHTHS, filled - below) - 1] ?? ' ');
      })
      .join('');
  });
}

function graphLines(graph: Graph, now: number, width: number, height: number): Line[] {
  const columns = Math.max(1, width - LABEL_WIDTH);
  const stepMs = stepFor(columns);
  const end = Math.ceil(now / stepMs) * stepMs;
  const labels: Span[] = [span(graph.name, { dim: true }), span(graph.value, { bold: true })];
  return barLines(columnsOf(graph.series, end, stepMs, columns), graph.top, height).map((bars, row): Line => {
    const label = labels[row] ?? span('');
    return [{ ...label, text: padTo(label.text, LABEL_WIDTH) }, span(bars, { color: graph.color })];
  });
}

/** The quantities that share the height of the panel. */
export const GRAPHS = 3;

/** The rates and the lag over the last minutes, the newest on the right. */
export function rateLines(model: Model, width: number, height: number): Line[] {
  const each = Math.max(1, Math.floor(height / GRAPHS));
  return graphsOf(model).flatMap((graph) => graphLines(graph, model.now, width, each));
}

import { METRICS, type MetricDefinition } from '../../src/core/health/definitions.js';
import { readProject } from './blocks.js';

/** The suffixes under which a histogram is served. */
const PARTS = ['_bucket', '_count', '_sum'];

const KNOWN = new Set(
  Object.entries<MetricDefinition>(METRICS).flatMap(([name, { type }]) =>
    type === 'histogram' ? [name, ...PARTS.map((part) => name + part)] : [name],
  ),
);

/** The metrics that a file mentions but nothing serves. */
export const unknownMetrics = (file: string): string[] =>
  [...new Set(readProject(file).match(/\bnatspoc_[a-z_]+/g))].filter((name) => !KNOWN.has(name));

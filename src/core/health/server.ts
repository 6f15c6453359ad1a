import { commonAnswer, type HttpAddress, HttpServer, plain } from './http.js';
import type { Metrics } from './metrics.js';
import { Readiness } from './readiness.js';
import type { HealthSubject } from './subject.js';

/** Where to listen. */
export type HealthOptions = HttpAddress;

/**
 * Serves the health of a member over HTTP: `/livez` and `/healthz` (the process answers), `/readyz` (the member can do its work;
 * otherwise 503 and the reasons), `/metrics` (for Prometheus).
 *
 * @throws NatspocError `config` if it cannot listen on this address.
 */
export function serveHealth(
  member: HealthSubject,
  metrics: Metrics,
  address: HealthOptions,
): Promise<HttpServer> {
  const readiness = new Readiness(member);
  return HttpServer.open(
    address,
    'health checks',
    async (path) =>
      (await commonAnswer(path, () => readiness.problems(), metrics)) ??
      plain(404, 'Try /livez, /readyz or /metrics.'),
  );
}

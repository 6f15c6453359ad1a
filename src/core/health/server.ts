import { commonAnswer, type HttpAddress, HttpServer, plain } from './http.js';
import type { Metrics } from './metrics.js';
import { Readiness } from './readiness.js';
import type { HealthSubject } from './subject.js';

/** Where to listen. */
export type HealthOptions = HttpAddress;

/**
 * Serves the health of a member over HTTP. `/livez` and `/healthz` show that the process answers. `/readyz` shows whether
 * the member can do its work; if not, the answer is 503 with the reasons. `/metrics` is for Prometheus.
 *
 * @throws NatspocError `config` if the server cannot listen on this address.
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

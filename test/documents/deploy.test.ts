import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse, parseAllDocuments } from 'yaml';
import { SETTINGS } from '../../src/core/config/settings.js';
import { withTempFolder } from '../support/temp.js';
import { inProject, readProject } from './blocks.js';
import { unknownMetrics } from './metrics.js';

const run = promisify(execFile);

/** For each kind, a type that is generated from the schemas of Kubernetes and KEDA. */
const TYPES: Readonly<Record<string, readonly [name: string, from: string]>> = {
  Deployment: ['IDeployment', 'kubernetes-models/apps/v1'],
  Service: ['IService', 'kubernetes-models/v1'],
  PodDisruptionBudget: ['IPodDisruptionBudget', 'kubernetes-models/policy/v1'],
  ScaledObject: ['IScaledObject', '@kubernetes-models/keda/keda.sh/v1alpha1'],
};

const TSCONFIG = {
  compilerOptions: {
    module: 'esnext',
    moduleResolution: 'bundler',
    strict: true,
    skipLibCheck: true,
    noEmit: true,
    types: [],
  },
  include: ['*.mts'],
};

interface Container {
  image: string;
  args: string[];
  env: { name: string; value?: string }[];
  ports: { name: string; containerPort: number }[];
  livenessProbe: Probe;
  readinessProbe: Probe;
}
interface Probe {
  httpGet: { path: string; port: string };
}
interface Manifest {
  kind: string;
  metadata: { name: string };
  spec: {
    template?: { spec: { terminationGracePeriodSeconds?: number; containers: Container[] } };
    ports?: { port: number }[];
    triggers?: { metadata: { url: string; valueLocation: string } }[];
    scaleTargetRef?: { name: string };
  };
}

const FILES = readdirSync(inProject('deploy/kubernetes')).map((name) => `deploy/kubernetes/${name}`);

const manifests = (): Manifest[] =>
  FILES.flatMap((file) =>
    parseAllDocuments(readProject(file)).map((document) => {
      assert.deepEqual(document.errors, [], file);
      return document.toJS() as Manifest;
    }),
  );

function containerOf(name: string): Container {
  const deployment = manifests().find((each) => each.kind === 'Deployment' && each.metadata.name === name);
  return deployment?.spec.template?.spec.containers[0] ?? assert.fail(`there is no ${name}`);
}

const envOf = ({ env }: Container): Map<string, string | undefined> =>
  new Map(env.map(({ name, value }) => [name, value]));

const KNOWN_ENV = new Set<string>(Object.values(SETTINGS).map(({ env }) => env));

function assertRuns(args: readonly string[], env: readonly string[]): void {
  assert.deepEqual(
    env.filter((name) => !KNOWN_ENV.has(name)),
    [],
  );
  const { commands }: { commands: Record<string, { flags: object }> } = JSON.parse(
    readProject('oclif.manifest.json'),
  );
  const [command = '', ...flags] = args;
  const known = Object.keys(commands[command]?.flags ?? assert.fail(`there is no command ${command}`));
  const unknown = flags.filter((arg) => arg.startsWith('--') && !known.includes(arg.slice(2)));
  assert.deepEqual(unknown, [], command);
}

describe('deploy/kubernetes', function () {
  this.timeout(60_000);
  const folder = withTempFolder();

  it('the manifests match the schemas of Kubernetes and KEDA, without unknown fields', async () => {
    const lines = manifests().map((manifest, i) => {
      const [type, from] = TYPES[manifest.kind] ?? assert.fail(`${manifest.kind} has no type here`);
      return `import type { ${type} as T${i} } from '${inProject('node_modules')}/${from}';
export const m${i}: T${i} = ${JSON.stringify(manifest)};`;
    });
    assert.ok(lines.length >= 5);
    writeFileSync(join(folder(), 'manifests.mts'), lines.join('\n'));
    writeFileSync(join(folder(), 'tsconfig.json'), JSON.stringify(TSCONFIG));
    const { stdout } = await run(inProject('node_modules/.bin/tsc'), ['-p', folder()]).catch(
      (error: { stdout: string }) => error,
    );
    assert.equal(stdout, '');
  });

  it('the manifests run existing commands, and probe paths and ports that these commands serve', () => {
    for (const [name, port] of [
      ['natspoc-members', 'HEALTH_PORT'],
      ['natspoc-exporter', 'EXPORTER_PORT'],
    ] as const) {
      const container = containerOf(name);
      const env = envOf(container);
      assertRuns(container.args, [...env.keys()]);
      const [served] = container.ports;
      assert.equal(env.get(port), String(served?.containerPort), name);
      assert.equal(env.get(port.replace(/PORT$/, 'HOST')), '0.0.0.0', name);
      assert.deepEqual(container.livenessProbe.httpGet, { path: '/livez', port: served?.name });
      assert.deepEqual(container.readinessProbe.httpGet, { path: '/readyz', port: served?.name });
    }
  });

  it('a member gets more time to stop than its drain and its last commit take', () => {
    const members = manifests().find(({ metadata }) => metadata.name === 'natspoc-members');
    const drainMs = SETTINGS.drainTimeoutMs.parse(SETTINGS.drainTimeoutMs.fallback) ?? 0;
    const graceMs = (members?.spec.template?.spec.terminationGracePeriodSeconds ?? 0) * 1_000;
    assert.ok(graceMs > drainMs + 15_000, String(graceMs));
  });

  it('the members are scaled by the load of their own group, at the port of the exporter', () => {
    const [scaler] = manifests().filter(({ kind }) => kind === 'ScaledObject');
    const [service] = manifests().filter(({ kind }) => kind === 'Service');
    const { url, valueLocation } = scaler?.spec.triggers?.[0]?.metadata ?? assert.fail('there is no trigger');
    const group = envOf(containerOf('natspoc-members')).get('CONSUMER_GROUP');
    assert.match(url, new RegExp(`^http://${service?.metadata.name}\\.\\w+\\.svc:`));
    assert.ok(url.endsWith(`:${service?.spec.ports?.[0]?.port}/groups/${group}`), url);
    assert.equal(valueLocation, 'suggestedMembers');
    assert.equal(scaler?.spec.scaleTargetRef?.name, 'natspoc-members');
  });
});

describe('deploy/grafana and deploy/prometheus', () => {
  it('the dashboard and the alerts use only metrics that are served', () => {
    for (const file of ['deploy/grafana/dashboard.json', 'deploy/prometheus/alerts.yaml'])
      assert.deepEqual(unknownMetrics(file), [], file);
  });

  it('every panel and every alert has a query', () => {
    const dashboard: { panels: { type: string; title: string; targets?: { expr: string }[] }[] } = JSON.parse(
      readProject('deploy/grafana/dashboard.json'),
    );
    const empty = dashboard.panels.filter(
      ({ type, targets = [] }) => type !== 'row' && !targets.some(({ expr }) => expr.includes('natspoc_')),
    );
    assert.deepEqual(empty, []);
    const { groups }: { groups: { rules: { alert: string; expr: string }[] }[] } = parse(
      readProject('deploy/prometheus/alerts.yaml'),
    );
    const rules = groups.flatMap((group) => group.rules);
    assert.ok(rules.length > 5 && rules.every(({ expr }) => expr.includes('natspoc_')));
  });
});

describe('the image and docker-compose.yml', () => {
  const dockerfile = readProject('Dockerfile');

  it('the image is built in two stages on one base, and does not run as root', () => {
    const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base);
    assert.equal(bases.length, 2);
    assert.equal(new Set(bases).size, 1);
    assert.ok(dockerfile.lastIndexOf('\nUSER node') > dockerfile.lastIndexOf('\nFROM '));
  });

  it('the image copies only files that exist in the build or the package, and starts the same program', () => {
    const copied = [...dockerfile.matchAll(/\/build\/(\S+)/g)].map(([, path = '']) => path);
    assert.deepEqual(
      copied.filter((path) => !existsSync(inProject(path))),
      [],
    );
    assert.match(dockerfile, /^ENTRYPOINT \["node", "\/app\/bin\/run\.js"\]$/m);
    const ignored = readProject('.dockerignore').split('\n');
    const used = ['src', 'scripts', 'bin', 'package-lock.json', 'tsconfig.build.json', 'LICENSE'];
    assert.deepEqual(
      used.filter((path) => ignored.includes(path)),
      [],
    );
    assert.ok(ignored.includes('.env') && ignored.includes('.git'));
  });

  it('docker-compose.yml runs a publisher, two members and the exporter in the profile app', () => {
    const compose: { services: Record<string, Service> } = parse(readProject('docker-compose.yml'), {
      merge: true,
    });
    interface Service {
      profiles?: string[];
      command: string[];
      environment: Record<string, string>;
    }
    const app = Object.entries(compose.services).filter(([, { profiles }]) => profiles?.includes('app'));
    assert.deepEqual(
      app.map(([name]) => name),
      ['publisher', 'member-1', 'member-2', 'exporter'],
    );
    for (const [, { command, environment }] of app) assertRuns(command, Object.keys(environment));
  });
});

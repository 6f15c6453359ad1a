import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { download } from './http.js';
import { programName } from './paths.js';
import type { ServerSource } from './source.js';
import { runTool } from './tool.js';

/** The version that is fetched from the official releases. */
export const RELEASE_VERSION = '2.11.8';

const RELEASES_URL = 'https://github.com/nats-io/nats-server/releases/download';
const ANSWER_TIMEOUT_MS = 5_000;
const UNPACK_TIMEOUT_MS = 60_000;
const CHECKSUMS_LIMIT_BYTES = 64 * 1024;
const ARCHIVE_LIMIT_BYTES = 100 * 1024 * 1024;

/** What a release archive is chosen by. */
export interface ReleaseOptions {
  /** Where the releases are; a mirror has the same tree. Default: the project's own. */
  baseUrl?: string;
  platform?: NodeJS.Platform;
  /** As in `process.arch`. */
  arch?: string;
  /** How long the host may take to answer, ms. Default 5,000. */
  answerTimeoutMs?: number;
}

const SYSTEMS: Partial<Record<NodeJS.Platform, string>> = {
  linux: 'linux',
  darwin: 'darwin',
  win32: 'windows',
  freebsd: 'freebsd',
};

/** Node's names of processors to Go's, per system that has releases for them. */
const PROCESSORS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  linux: { x64: 'amd64', arm64: 'arm64', arm: 'arm7', ia32: '386', ppc64: 'ppc64le', s390x: 's390x' },
  darwin: { x64: 'amd64', arm64: 'arm64' },
  windows: { x64: 'amd64', arm64: 'arm64' },
  freebsd: { x64: 'amd64' },
};

/** The folder inside a release's archive, which is the archive's name without its ending; null: no release. */
function releaseName(platform: NodeJS.Platform, arch: string): string | null {
  const system = SYSTEMS[platform];
  const processor = system === undefined ? undefined : PROCESSORS[system]?.[arch];
  return processor === undefined ? null : `nats-server-v${RELEASE_VERSION}-${system}-${processor}`;
}

/** The file name of the release for a platform, or null when there is none. */
export function releaseArchive(platform: NodeJS.Platform, arch: string): string | null {
  const name = releaseName(platform, arch);
  return name === null ? null : `${name}${platform === 'win32' ? '.zip' : '.tar.gz'}`;
}

/** The SHA-256 (lower-case hex) that a SHA256SUMS file lists for a file, or null. */
export function checksumFor(sums: string, file: string): string | null {
  for (const line of sums.split('\n')) {
    const [sum, name] = line.trim().split(/\s+\*?/);
    if (name === file && sum !== undefined && /^[0-9a-f]{64}$/i.test(sum)) return sum.toLowerCase();
  }
  return null;
}

/** The official release for this platform, checked against the release's SHA256SUMS. */
export function releaseSource(options: ReleaseOptions = {}): ServerSource {
  const platform = options.platform ?? process.platform;
  const arch = options.arch ?? process.arch;
  const baseUrl = options.baseUrl ?? RELEASES_URL;
  const host = new URL(baseUrl).host;
  const answerTimeoutMs = options.answerTimeoutMs ?? ANSWER_TIMEOUT_MS;

  async function get(folder: string): Promise<string> {
    const name = releaseName(platform, arch);
    const archive = releaseArchive(platform, arch);
    if (name === null || archive === null) throw new Error(`no release for ${platform} ${arch}`);
    const url = `${baseUrl}/v${RELEASE_VERSION}`;
    const bounds = { answerTimeoutMs, limitBytes: CHECKSUMS_LIMIT_BYTES };
    const expected = checksumFor((await download(`${url}/SHA256SUMS`, bounds)).toString('utf8'), archive);
    if (expected === null) throw new Error(`SHA256SUMS has no line for ${archive}`);
    const content = await download(`${url}/${archive}`, { answerTimeoutMs, limitBytes: ARCHIVE_LIMIT_BYTES });
    const actual = createHash('sha256').update(content).digest('hex');
    if (actual !== expected) throw new Error(`wrong checksum of ${archive}: ${actual}, expected ${expected}`);
    await writeFile(path.join(folder, archive), content);
    // The tar of Windows 10 and later, and of macOS, reads zip as well. Ownership in the archive is not ours.
    const ownership = platform === 'win32' ? [] : ['--no-same-owner'];
    await runTool('tar', [...ownership, '-xf', archive], { cwd: folder, timeoutMs: UNPACK_TIMEOUT_MS });
    return path.join(folder, name, programName(platform));
  }

  return {
    name: host,
    announcement: `Downloading nats-server ${RELEASE_VERSION} from ${host} ...`,
    applies: () => releaseArchive(platform, arch) !== null,
    get,
  };
}

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
const ARCHIVE_LIMIT_BYTES = 100 * 1024 * 1024;

/** Options that select a release archive. */
export interface ReleaseOptions {
  /** Base URL of the releases. A mirror must have the same paths. Default: the releases of nats-server on GitHub. */
  baseUrl?: string;
  platform?: NodeJS.Platform;
  /** The processor architecture, as in `process.arch`. */
  arch?: string;
  /** Timeout until the host answers, in milliseconds. Default 5,000. */
  answerTimeoutMs?: number;
  /** The SHA-256 of an archive, lower-case hex, by file name. Default: {@link RELEASE_SHA256}. */
  sha256?: Readonly<Record<string, string>>;
}

/**
 * The SHA-256 of each archive of {@link RELEASE_VERSION}. They are fixed here, because a list from the same host would not protect against
 * that host. They come from the Dockerfiles of the official image (nats-io/nats-docker, a8cccfe) and from Hermit's packages
 * (cashapp/hermit-packages), which agree. Other platforms are not supported.
 */
export const RELEASE_SHA256: Readonly<Record<string, string>> = {
  'nats-server-v2.11.8-linux-amd64.tar.gz':
    '397a6deffb5533e160de0cca322bc3dcaec7fb7282d66a3dfa87a9c183152ad1',
  'nats-server-v2.11.8-linux-arm64.tar.gz':
    'b08936cb1dc0ae7086137bda14c352df64397c4af45ed2b392705c19585aeb84',
  'nats-server-v2.11.8-linux-arm7.tar.gz': '271c4de30cdb5449f37709c5e64ec02f436aa489d309c5a5f64b46fa32d2000b',
  'nats-server-v2.11.8-linux-386.tar.gz': 'b12893ba9aa5a546c23cfd0c87f0afa44482d51ed850b8e171d6e543c126336e',
  'nats-server-v2.11.8-linux-ppc64le.tar.gz':
    'd6ca70a7779057ec386bc29fce8a8f2c280ace83a20398af4592c25379539ee2',
  'nats-server-v2.11.8-linux-s390x.tar.gz':
    '6bf3289351dfb8805033802fbc9fc75a8a1329eccbca6e4074f7b8c2dcc5f8fb',
  'nats-server-v2.11.8-darwin-amd64.tar.gz':
    '002c943c1ed39c55cc5e024debfc02685111fcb2b1cbd887aad39ac977037477',
  'nats-server-v2.11.8-darwin-arm64.tar.gz':
    '23e0c5354c2da385708946a21900c944fcb9a3bbfd02aae27a4ae750dea0b682',
  'nats-server-v2.11.8-windows-amd64.zip': '3dd98465626e8c6ed92a784ef13c3f956c7e87fbbb4ee86cc198e377565eaeaf',
};

const SYSTEMS: Partial<Record<NodeJS.Platform, string>> = {
  linux: 'linux',
  darwin: 'darwin',
  win32: 'windows',
};

/** Go's name of each processor, by system and by Node's name. */
const PROCESSORS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  linux: { x64: 'amd64', arm64: 'arm64', arm: 'arm7', ia32: '386', ppc64: 'ppc64le', s390x: 's390x' },
  darwin: { x64: 'amd64', arm64: 'arm64' },
  windows: { x64: 'amd64' },
};

/** The folder in a release archive: the archive's name without its extension. Null if there is no release. */
function releaseName(platform: NodeJS.Platform, arch: string): string | null {
  const system = SYSTEMS[platform];
  const processor = system === undefined ? undefined : PROCESSORS[system]?.[arch];
  return processor === undefined ? null : `nats-server-v${RELEASE_VERSION}-${system}-${processor}`;
}

/** The file name of the release for a platform; null if there is no release. */
export function releaseArchive(platform: NodeJS.Platform, arch: string): string | null {
  const name = releaseName(platform, arch);
  return name === null ? null : `${name}${platform === 'win32' ? '.zip' : '.tar.gz'}`;
}

/** The official release for this platform, checked against its fixed SHA-256. */
export function releaseSource(options: ReleaseOptions = {}): ServerSource {
  const platform = options.platform ?? process.platform;
  const arch = options.arch ?? process.arch;
  const sha256 = options.sha256 ?? RELEASE_SHA256;
  const baseUrl = options.baseUrl ?? RELEASES_URL;
  const host = new URL(baseUrl).host;
  const answerTimeoutMs = options.answerTimeoutMs ?? ANSWER_TIMEOUT_MS;

  async function get(folder: string): Promise<string> {
    const name = releaseName(platform, arch);
    const archive = releaseArchive(platform, arch);
    if (name === null || archive === null) throw new Error(`no release for ${platform} ${arch}`);
    const expected = sha256[archive];
    // An archive that cannot be checked is not downloaded.
    if (expected === undefined) throw new Error(`no checksum of ${archive} is known`);
    const bounds = { answerTimeoutMs, limitBytes: ARCHIVE_LIMIT_BYTES };
    const content = await download(`${baseUrl}/v${RELEASE_VERSION}/${archive}`, bounds);
    const actual = createHash('sha256').update(content).digest('hex');
    if (actual !== expected) throw new Error(`wrong checksum of ${archive}: ${actual}, expected ${expected}`);
    await writeFile(path.join(folder, archive), content);
    // The tar of Windows 10 and later can read zip files.
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

import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { ServerSource } from './source.js';
import { runTool } from './tool.js';

const APT_GET = '/usr/bin/apt-get';
const DPKG_DEB = '/usr/bin/dpkg-deb';
const APT_TIMEOUT_MS = 120_000;
const UNPACK_TIMEOUT_MS = 60_000;

/**
 * An apt configuration that reads the system's sources, keys and package status, but writes only below `root`. Only a file can clear lists,
 * not the option `-o`. `#clear` removes the system's hooks. In container images, such hooks empty the package cache.
 */
function aptConfiguration(root: string): string {
  const quoted = JSON.stringify(root);
  return `
Dir::State ${JSON.stringify(path.join(root, 'state'))};
Dir::State::status "/var/lib/dpkg/status";
Dir::Cache ${JSON.stringify(path.join(root, 'cache'))};
Dir::Log ${quoted};
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
// If root runs apt, apt would switch to a user that cannot write here.
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::IndexTargets::deb-src::Sources::DefaultEnabled "false";
Acquire::http::Timeout "10";
Acquire::https::Timeout "10";
Acquire::Retries "1";
`;
}

async function get(folder: string): Promise<string> {
  const configuration = path.join(folder, 'apt.conf');
  await mkdir(path.join(folder, 'state', 'lists', 'partial'), { recursive: true });
  await mkdir(path.join(folder, 'cache', 'archives', 'partial'), { recursive: true });
  await writeFile(configuration, aptConfiguration(folder));
  const apt = (...args: string[]) =>
    runTool(APT_GET, ['-q', '-c', configuration, ...args], { cwd: folder, timeoutMs: APT_TIMEOUT_MS });
  // Perhaps only a third-party source failed. The download shows whether the update was sufficient.
  const update = await apt('update').then(
    () => null,
    (error: unknown) => error,
  );
  await apt('download', 'nats-server').catch((error: unknown) => {
    throw update ?? error;
  });
  const packageFile = (await readdir(folder)).find((name) => name.endsWith('.deb'));
  if (packageFile === undefined) throw new Error('apt-get downloaded nothing');
  const root = path.join(folder, 'root');
  await runTool(DPKG_DEB, ['-x', packageFile, root], { cwd: folder, timeoutMs: UNPACK_TIMEOUT_MS });
  return path.join(root, 'usr', 'sbin', 'nats-server');
}

/**
 * The package `nats-server` of Debian or Ubuntu. apt checks it against the distribution's keys. It is only unpacked, not installed, so the
 * fetch needs no root privileges.
 */
export function debianSource(): ServerSource {
  return {
    name: 'apt-get',
    announcement: "Getting the distribution's nats-server package with apt-get (nothing is installed) ...",
    applies: () => process.platform === 'linux' && existsSync(APT_GET) && existsSync(DPKG_DEB),
    get,
  };
}

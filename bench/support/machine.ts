import { cpus, loadavg, release, totalmem, type } from 'node:os';

/** A description of the machine, which every published result contains. */
export interface Machine {
  cpu: string;
  cores: number;
  memoryGiB: number;
  system: string;
  node: string;
  natsServer: string;
  loadAverage: number;
  date: string;
}

/** Describes this machine and the server that was measured. */
export function describeMachine(natsServer: string): Machine {
  const processors = cpus();
  return {
    cpu: processors[0]?.model ?? 'unknown',
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    system: `${type()} ${release()}`,
    node: process.version,
    natsServer,
    loadAverage: Math.round((loadavg()[0] ?? 0) * 100) / 100,
    date: new Date().toISOString(),
  };
}

/**
 * The scripts of `bench/` that compare natspoc with alternatives, and their arguments. With `quick` the scripts run as briefly as possible.
 *
 * @param rounds how many times each contender is measured.
 */
export function benchmarks(quick: boolean, rounds: number): Record<string, string[]> {
  const times = String(rounds);
  return {
    publish: quick
      ? ['--rounds', '1', '--messages', '5000', '--sizes', '128', '--seconds', '0']
      : ['--rounds', times, '--seconds', '10'],
    consume: quick
      ? ['--rounds', '1', '--messages', '5000', '--partitions', '16', '--keyed', '', '--sizes', '128']
      : ['--rounds', times, '--partitions', '16', '--keyed', ''],
    failover: ['--trials', String(quick ? 1 : rounds * 4)],
    takeover: ['--rounds', times],
  };
}

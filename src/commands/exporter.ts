import { BaseCommand, connectionFlags, settingFlags } from '../cli/base-command.js';
import { Exporter, introduce } from '../cli/exporter/exporter.js';
import { Flags } from '../cli/oclif.js';
import { prose } from '../cli/prose.js';
import { NAME_ALLOWED, name } from '../core/config/parse.js';
import { NatspocError } from '../core/lib/errors.js';
import { explain } from '../core/nats/client/outcome.js';
import { tellRefusals } from '../core/nats/client/refused-credentials.js';

/** `natspoc exporter`: serves the state of the groups of a stream over HTTP. */
export default class ExporterCommand extends BaseCommand {
  static override summary = 'Serve the state of the groups of a stream to Prometheus, Grafana and scalers.';
  static override description =
    prose(`Reads the groups of a stream at the interval of --refresh, and changes nothing. The exporter needs no
members: it computes the lag from the positions and the stream. New groups are added, and deleted groups are removed.

/metrics: for Prometheus; the reference lists all metrics. /groups: a list of the groups as JSON. /groups/NAME: one group with its lag,
the age of its oldest waiting message, its members, the messages that hold it up, the findings of "natspoc leases check", and the
number of members that it should have (suggestedMembers). /livez: status 200 while the process runs. /readyz: status 200 if the served
data is up to date, otherwise 503 and the reason.

While the exporter cannot read from NATS, it serves the last values; ageMs and natspoc_group_data_age_seconds show how old they are.

The suggested number of members is the necessary rate divided by the rate of one member: at least 1, and at most the number of
partitions. The necessary rate is the arrivals per second plus the backlog divided by --drain-target.

Exit codes: 0 stopped by a signal; 2 cannot listen on the address; 3 cannot reach NATS at the start; 4 not permitted.`);
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    {
      description: 'Two groups of another stream, for a scraper on another machine:',
      command:
        '<%= config.bin %> <%= command.id %> --stream ORDERS --group billing --group mail --host 0.0.0.0',
    },
    {
      description: 'The number that a scaler reads:',
      command: 'curl -s http://127.0.0.1:9465/groups/default | jq .suggestedMembers',
    },
  ];
  static override flags = {
    ...connectionFlags,
    group: Flags.string({
      description: 'serve only this group; may be given several times [default all groups of the stream]',
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'NAME',
    }),
    ...settingFlags(['exporterPort', 'exporterHost', 'refreshMs', 'drainTargetMs']),
    ...settingFlags(['logFormat'], 'GLOBAL'),
  };

  protected override readonly ownFlags = ['group'];

  override async run(): Promise<void> {
    const { flags } = await this.parse(ExporterCommand);
    const groups = [...new Set(flags.group?.map(groupName))];
    const config = this.loadSettings(flags);
    const stop = this.stopSignal();
    const connection = await this.connect(config, 'exporter');
    tellRefusals(connection, config.authRetryMs, this.note);
    try {
      const exporter = await Exporter.open({ connection, config, groups, note: this.note });
      const { url } = exporter;
      if (flags.json)
        this.writeJson({ url, stream: config.stream, groups: exporter.groups.map(({ group }) => group) });
      else this.writeLines([introduce(exporter, config)]);
      stop.addEventListener('abort', () => void exporter.close(), { once: true });
      if (stop.aborted) await exporter.close();
      await exporter.closed.finally(() => exporter.close());
    } catch (error) {
      throw explain(error, `read the state of stream ${config.stream}`);
    } finally {
      await connection.close();
    }
  }
}

/** @throws NatspocError `usage` */
function groupName(text: string): string {
  const valid = name(text);
  if (valid !== undefined) return valid;
  throw new NatspocError('usage', `--group: ${JSON.stringify(text)} is not ${NAME_ALLOWED}.`);
}

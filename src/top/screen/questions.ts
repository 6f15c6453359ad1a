import { nameOf, type SeenSession } from '../../core/admin/group-entries.js';
import { describeLag } from '../../core/admin/lag.js';
import { isEstimate, type LeaseStatus } from '../../core/admin/lease-status.js';
import type { MemberStatus } from '../../core/admin/members.js';
import { shortenName } from '../../core/lib/text.js';
import { countOf } from '../../core/lib/units.js';
import { partitionList } from '../../text/partition-list.js';
import { gainsOf, heirsOf, nextOwnerOf } from '../model/forecast.js';
import type { Model } from '../model/model.js';
import { memberRows, partitionRows } from '../model/select.js';
import { withFlags } from './hints.js';
import type { Outcome, Situation } from './outcome.js';
import { cursorOf } from './rows.js';
import type { Command, Dialog, PanelId, Said, Target } from './state.js';

const NAMED = 6;
/** Maximum width of the names in a list. */
const LISTED_NAME = 24;

const shortName = (session: SeenSession): string => shortenName(nameOf(session), LISTED_NAME);

/** Shows a notice instead of a question. */
export const tell = (
  { ui }: Situation,
  text: string,
  level: Said['level'],
  focus: PanelId = ui.focus,
): Outcome => ({ ui: { ...ui, focus }, said: { text, level } });

/** Asks a question. `y` carries out its command. */
export function ask(
  { ui, model }: Situation,
  question: string,
  consequences: readonly string[],
  command: Command,
): Outcome {
  const complete = consequences.map((text) => withFlags(text, model, ui.hints));
  const dialog: Dialog = { question, consequences: complete, command };
  return { ui: { ...ui, dialog, notice: null } };
}

function selectedMember({ ui, model }: Situation): { row: MemberStatus; target: Target } | undefined {
  if (ui.focus !== 'members') return undefined;
  const cursor = cursorOf(model, ui, 'members');
  const row = memberRows(model).find(({ session }) => session === cursor);
  if (!row) return undefined;
  const { session, name, host, pid, startedAt } = row;
  if (host === null || pid === null || startedAt === null) return undefined;
  return { row, target: { session, name, host, pid, startedAt, local: host === ui.host } };
}

/** The next owners of a member's partitions when it ends: `p0 p3 go to b, p6 to c`. */
function heirs(model: Model, { session, partitions }: MemberStatus): string {
  if (partitions.length === 0) return 'The member owns no partition.';
  const all = [...heirsOf(model, session)];
  if (all.every(([id]) => id === null)) {
    return `There is no other member: ${partitionList(partitions)} will have no owner until another member joins.`;
  }
  const named = all.slice(0, NAMED).map(([id, got], i) => {
    const heir = model.group.sessions.get(id ?? '');
    const verb = i > 0 ? '' : got.length === 1 ? ' goes' : ' go';
    return `${partitionList(got)}${verb} to ${heir ? shortName(heir) : 'no member'}`;
  });
  const more = all.length > NAMED ? `, the rest to ${countOf(all.length - NAMED, 'other member')}` : '';
  return `Of the member's partitions, ${named.join(', ')}${more}.`;
}

const SELECT_MEMBER = 'Select a member first: go to the members with Tab, then use the arrows.';
export const SELECT_PARTITION =
  'Select a partition first: go to the partitions with Tab, then use the arrows.';

/** Asks for a confirmation before the selected member is told to leave. */
export function askToStop(situation: Situation): Outcome {
  const selected = selectedMember(situation);
  if (!selected) return tell(situation, SELECT_MEMBER, 'info', 'members');
  const { row, target } = selected;
  const where = target.local ? `pid ${target.pid}` : `pid ${target.pid} on ${target.host}`;
  const how = target.local ? 'The member gets SIGTERM' : 'The member is asked over NATS';
  const consequences = [
    heirs(situation.model, row),
    `${how}, hands its partitions over and exits. Nothing is handled twice.`,
  ];
  return ask(situation, `Stop ${target.name} (${where})?`, consequences, { type: 'stop', target });
}

/** Asks for a confirmation before the selected member is killed. It must run on this machine. */
export function askToKill(situation: Situation): Outcome {
  const selected = selectedMember(situation);
  if (!selected) return tell(situation, SELECT_MEMBER, 'info', 'members');
  const { row, target } = selected;
  if (!target.local) {
    const text = `${target.name} runs on ${target.host}: only members on this machine can be killed. Press x to ask it to stop.`;
    return tell(situation, text, 'error');
  }
  const consequences = [
    heirs(situation.model, row),
    'The member cannot hand its partitions over. The other members claim them when they notice its death, and repeat its uncommitted messages.',
  ];
  return ask(situation, `Kill -9 ${target.name} (pid ${target.pid})?`, consequences, {
    type: 'kill',
    target,
  });
}

/** The selected partition, if any. */
export function selectedPartition({ ui, model }: Situation): LeaseStatus | undefined {
  if (ui.focus !== 'partitions' && ui.focus !== 'timeline') return undefined;
  const selected = cursorOf(model, ui, ui.focus);
  return partitionRows(model).find(({ partition }) => `${partition}` === selected);
}

/** Asks for a confirmation before the selected partition is released. */
export function askToRelease(situation: Situation): Outcome {
  const { model } = situation;
  const row = selectedPartition(situation);
  if (!row) return tell(situation, SELECT_PARTITION, 'info', 'partitions');
  const { partition } = row;
  const owner = model.group.liveOwner(partition);
  if (!owner) return tell(situation, `p${partition} has no owner to release it.`, 'error');
  const name = nameOf(owner);
  if (model.group.pinnedTo(partition)?.id === owner.id) {
    const text = `p${partition} is pinned to ${name}. Unpin it first: "natspoc leases unpin ${partition}"`;
    return tell(situation, text, 'error');
  }
  const next = nextOwnerOf(model, partition);
  const consequences = next
    ? [
        `${name} finishes the current message and commits. p${partition} then goes to ${nameOf(next)}, which has the fewest partitions. Nothing is handled twice.`,
        'If the loads become uneven, another partition moves in exchange.',
      ]
    : [
        `${name} is the only member: it finishes the current message, commits and takes p${partition} again at a new epoch.`,
      ];
  return ask(situation, `Release p${partition} from ${name}?`, consequences, { type: 'release', partition });
}

/** Asks for a confirmation before the selected partition is paused or resumed. */
export function askToPause(situation: Situation): Outcome {
  const { model } = situation;
  const row = selectedPartition(situation);
  if (!row) return tell(situation, SELECT_PARTITION, 'info', 'partitions');
  const { partition, lag, paused } = row;
  const owner = model.group.liveOwner(partition);
  const p = `p${partition}`;
  const command: Command = { type: 'pause', partition, paused: !paused };
  const waiting = lag === null ? '' : ` ${describeLag(lag, isEstimate(row))}.`;
  if (paused) {
    const who = owner ? nameOf(owner) : 'The partition has no owner now. Its next owner';
    return ask(
      situation,
      `Resume ${p}?`,
      [`${who} continues after the last message handled.${waiting}`],
      command,
    );
  }
  const who = owner
    ? `${nameOf(owner)} finishes the current message, commits and keeps ${p}`
    : `${p} has no owner now`;
  const consequences = [
    `${who}. No message of ${p} is handled until you resume it.${waiting}`,
    'The pause survives a change of owner and a restart of every member.',
  ];
  return ask(situation, `Pause ${p}?`, consequences, command);
}

/** The partitions that one more member gets, and their owners: `p0 p3 from a, p6 from b`. */
function gains(model: Model): string {
  const all = [...gainsOf(model)];
  if (all.length === 0) return 'no partition: the other members own all partitions';
  const named = all.slice(0, NAMED).map(([id, got]) => {
    const owner = model.group.sessions.get(id ?? '');
    return `${partitionList(got)}${owner ? ` from ${shortName(owner)}` : ' (not owned)'}`;
  });
  const more = all.length > NAMED ? `, others from ${all.length - NAMED} more` : '';
  return `${named.join(', ')}${more}`;
}

/** Asks for a confirmation before a member process without a handler is started. */
export function askToStart(situation: Situation): Outcome {
  const { model } = situation;
  const group = model.target?.group ?? '';
  const consequences = [
    model.missing === null
      ? `The member joins group ${group} and gets ${gains(model)}.`
      : `The member creates the stream or layout if missing, joins group ${group} and gets all partitions.`,
    'To process messages, run "natspoc consume" with your --handler or --exec in a shell instead.',
    'The member keeps running when this screen is closed. Its status lines go to a log file.',
  ];
  const question =
    'Start a member without a handler on this machine? It marks messages as handled without processing them.';
  return ask(situation, question, consequences, { type: 'start-consumer' });
}

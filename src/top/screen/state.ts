import type { FoundLetter } from '../../core/protocol/dead-letter.js';
import type { Original } from '../../core/protocol/dead-letter-original.js';
import type { ReplayStep, Watchable } from '../feed.js';
import type { Model } from '../model/model.js';
import { type Hints, NO_HINTS } from './hints.js';

/** The panels, in the order of Tab. */
export const PANELS = [
  'partitions',
  'members',
  'updates',
  'messages',
  'timeline',
  'rates',
  'stream',
] as const;
export type PanelId = (typeof PANELS)[number];

/** The sort orders of partitions and members, in the order in which `s` selects them. */
export const PARTITION_SORTS = ['number', 'lag', 'rate', 'owner', 'held'] as const;
export const MEMBER_SORTS = ['name', 'partitions', 'lag', 'rate', 'memory'] as const;
export type PartitionSort = (typeof PARTITION_SORTS)[number];
export type MemberSort = (typeof MEMBER_SORTS)[number];

/** A member that can be ended from the screen. */
export interface Target {
  session: string;
  name: string;
  host: string;
  pid: number;
  startedAt: string;
  /** True if the member runs on this machine, according to its host name. */
  local: boolean;
}

/** A command that acts outside of the screen. */
export type Command =
  | { type: 'quit' }
  | { type: 'redraw' }
  | { type: 'replay'; step: ReplayStep }
  | { type: 'list-groups' }
  | { type: 'open-group'; stream: string; group: string }
  | { type: 'list-letters' }
  | { type: 'show-letter'; letter: FoundLetter }
  | { type: 'drop-letter'; letter: FoundLetter }
  | { type: 'put-back'; letter: FoundLetter }
  | { type: 'release'; partition: number }
  | { type: 'pause'; partition: number; paused: boolean }
  | { type: 'retry'; partition: number }
  | { type: 'skip'; partition: number; sequence: number; deadLetter: boolean }
  | { type: 'stop'; target: Target }
  | { type: 'kill'; target: Target }
  | { type: 'start-consumer' };

/** A question before an action. Only `y` confirms it. */
export interface Dialog {
  question: string;
  /** Their commands have their flags. */
  consequences: string[];
  command: Command;
}

/** A notice about the last action. */
export interface Notice {
  at: number;
  /** Its commands have their flags. */
  text: string;
  /** `busy`: the action is still running. The notice stays until the notice of the outcome replaces it. */
  level: 'info' | 'error' | 'busy';
}

/** A notice without its time. Its commands have no flags yet. */
export type Said = Omit<Notice, 'at'>;

/** The list of groups. */
export interface GroupList {
  /** null while the list is being read. */
  rows: readonly Watchable[] | null;
  /** The row under the cursor. */
  at: number;
}

/** A dead letter that is shown in full. */
export interface ShownLetter {
  letter: FoundLetter;
  /** The message of the letter: null while it is being read, undefined if a part of it is gone. */
  original: Original | null | undefined;
}

/** The list of dead letters. */
export interface LetterList {
  /** null while the list is being read. */
  rows: readonly FoundLetter[] | null;
  /** The row under the cursor. */
  at: number;
  /** The letter that is shown instead of the list, if any. */
  shown: ShownLetter | null;
}

/** The state of the screen, apart from the model. */
export interface Ui {
  focus: PanelId;
  zoom: boolean;
  /** The opened row of the focused panel, if any. */
  detail: string | null;
  /** The id of the selected row of each panel. Without a selected row, a panel follows new rows. */
  selected: Readonly<Partial<Record<PanelId, string>>>;
  partitionSort: PartitionSort;
  memberSort: MemberSort;
  filter: string;
  editing: boolean;
  /** The model of a frozen screen; null if the screen is not frozen. */
  frozen: Model | null;
  intervalMs: number;
  help: boolean;
  /** True while all problems are listed instead of the panels. */
  problems: boolean;
  /** The list of groups while it is shown instead of the panels. */
  groups: GroupList | null;
  /** The list of dead letters while it is shown instead of the panels. */
  letters: LetterList | null;
  /** The first visible line of the help. */
  helpTop: number;
  dialog: Dialog | null;
  notice: Notice | null;
  readonly: boolean;
  replays: boolean;
  /** The flags that commands in messages need. */
  readonly hints: Hints;
  /** This machine's name. Members on other machines get no signals. */
  host: string;
}

/** The initial state of the screen. */
export function initialUi(
  options: Pick<Ui, 'intervalMs' | 'readonly' | 'host'> & Partial<Pick<Ui, 'replays' | 'hints'>>,
): Ui {
  return {
    replays: false,
    hints: NO_HINTS,
    ...options,
    focus: 'partitions',
    zoom: false,
    detail: null,
    selected: {},
    partitionSort: 'number',
    memberSort: 'name',
    filter: '',
    editing: false,
    frozen: null,
    help: false,
    problems: false,
    groups: null,
    letters: null,
    helpTop: 0,
    dialog: null,
    notice: null,
  };
}

import type { Model } from '../model/model.js';

/** The panels, in the order in which Tab goes through them. */
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

/** How partitions and members can be sorted, in the order in which `s` goes through them. */
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
  /** It runs on this machine, as far as its host's name says. */
  local: boolean;
}

/** What the screen can be told to do outside of itself. */
export type Command =
  | { type: 'quit' }
  | { type: 'redraw' }
  | { type: 'release'; partition: number }
  | { type: 'pause'; partition: number; paused: boolean }
  | { type: 'stop'; target: Target }
  | { type: 'kill'; target: Target }
  | { type: 'start-consumer' };

/** A question before something is done; only `y` does it. */
export interface Dialog {
  question: string;
  /** What it will lead to, a line each. */
  consequences: string[];
  command: Command;
}

/** What the last action led to. */
export interface Notice {
  at: number;
  text: string;
  /** `busy`: under way, shown until the outcome takes its place. */
  level: 'info' | 'error' | 'busy';
}

/** How the screen looks at the model. */
export interface Ui {
  focus: PanelId;
  /** The focused panel has the whole screen. */
  zoom: boolean;
  /** The row that is looked at closely, of the focused panel; null: none. */
  detail: string | null;
  /** The selected row of each panel by its id; absent: none, and the panel follows what is new. */
  selected: Readonly<Partial<Record<PanelId, string>>>;
  partitionSort: PartitionSort;
  memberSort: MemberSort;
  filter: string;
  /** The filter is being typed. */
  editing: boolean;
  /** What is shown while the screen is frozen; null: it is not. */
  frozen: Model | null;
  intervalMs: number;
  help: boolean;
  /** The first line of the help that is shown, where not all of it fits. */
  helpTop: number;
  dialog: Dialog | null;
  notice: Notice | null;
  readonly: boolean;
  /** This machine's name: members of other machines cannot be signalled from here. */
  host: string;
}

/** The screen as it opens. */
export function initialUi(options: Pick<Ui, 'intervalMs' | 'readonly' | 'host'>): Ui {
  return {
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
    helpTop: 0,
    dialog: null,
    notice: null,
  };
}

import { useEffect, useRef, useState } from 'react';
import { NatspocError } from '../../core/lib/errors.js';
import type { FoundLetter } from '../../core/protocol/dead-letter.js';
import { envOf } from '../act/group-env.js';
import type { Feed } from '../feed.js';
import type { Model } from '../model/model.js';
import { groupsRead } from '../screen/group-keys.js';
import { withFlags } from '../screen/hints.js';
import { press } from '../screen/keys.js';
import { letterRead, lettersRead } from '../screen/letter-keys.js';
import { announce, perform } from '../screen/perform.js';
import type { Command, Said, Ui } from '../screen/state.js';
import { helpView } from '../view/help.js';
import { isLargeEnough, showsMap } from '../view/layout.js';
import { bodyRoom, Screen } from './screen.js';
import { useKeys } from './use-keys.js';
import { useModel } from './use-model.js';
import { useTerminalSize } from './use-terminal-size.js';

/** Lines of the screen besides the rows of a maximized panel. */
const FRAME_ROWS = 8;

export interface TopProps {
  feed: Feed;
  /** The state of the screen when it opens. */
  initial: Ui;
  /** The environment of members that are started from the screen. */
  env: NodeJS.ProcessEnv;
  /** A notice from outside the screen, shown until the next notice. */
  told: Said | undefined;
  quit: () => void;
  redraw: () => void;
}

/** The screen of `natspoc top`: draws the model and reacts to keys. */
export function Top({ feed, initial, env, told, quit, redraw }: TopProps) {
  const [ui, setUi] = useState(initial);
  const size = useTerminalSize();
  const model = useModel(feed, ui.intervalMs);
  // Several keys can arrive between two frames, and an outcome can arrive long after its key. Each applies to the latest state.
  const latest = useRef({ ui, model });
  latest.current.model = model;
  /** The drawn model. After the choice of another group, the model of that group, even if it is not drawn yet. */
  const known = (): Model =>
    latest.current.model.target === feed.model.target ? latest.current.model : feed.model;
  const initialTarget = useRef(feed.model.target);
  const change = (changes: Partial<Ui>): void => {
    latest.current.ui = { ...latest.current.ui, ...changes };
    setUi(latest.current.ui);
  };
  /** Shows a notice about the group that was shown at `about`. The user may have opened another group since. */
  const say = (said: Said | undefined, about = known()): void => {
    if (!said) return;
    const text = withFlags(said.text, about, latest.current.ui.hints);
    change({ notice: { ...said, text, at: known().now } });
  };
  /** Reads the rows of a list. After a failure, the list is closed. Nothing happens if the user has opened another group meanwhile. */
  const read = async (list: 'groups' | 'letters', reading: () => Promise<Partial<Ui>>): Promise<void> => {
    const { target } = feed.model;
    try {
      const changes = await reading();
      // The user may have closed the list.
      if (latest.current.ui[list] && feed.model.target === target) change(changes);
    } catch (error) {
      if (!(error instanceof NatspocError)) throw error;
      if (feed.model.target !== target) return;
      change({ [list]: null });
      say({ text: error.message, level: 'error' });
    }
  };
  const listGroups = () =>
    read('groups', async () => {
      const rows = (await feed.choice?.groups()) ?? [];
      return { groups: groupsRead(known(), rows) };
    });
  const listLetters = () =>
    read('letters', async () => {
      const rows = (await feed.operator?.letters.list()) ?? [];
      const { letters } = latest.current.ui;
      return { letters: letters && lettersRead(letters, rows) };
    });
  const showLetter = (letter: FoundLetter) =>
    read('letters', async () => {
      const original = await feed.operator?.letters.original(letter);
      const { letters } = latest.current.ui;
      return { letters: letters && letterRead(letters, letter, original) };
    });
  const carryOut = async (command: Command): Promise<void> => {
    if (command.type === 'quit') return quit();
    if (command.type === 'redraw') return redraw();
    if (command.type === 'replay') return feed.replay?.(command.step);
    if (command.type === 'open-group') return feed.choice?.open(command.stream, command.group);
    if (command.type === 'list-groups') return listGroups();
    if (command.type === 'list-letters') return listLetters();
    if (command.type === 'show-letter') return showLetter(command.letter);
    const about = known();
    say(announce(command), about);
    const performer = {
      env: { ...env, ...envOf(about, initialTarget.current) },
      operator: feed.operator,
    };
    say(await perform(command, performer), about);
    if (latest.current.ui.letters) await listLetters();
  };

  // biome-ignore lint/correctness/useExhaustiveDependencies: a notice is shown once, when it arrives
  useEffect(() => say(told), [told]);
  useKeys((key) => {
    // Nothing but this advice is visible. So no other key may have an effect.
    if (!isLargeEnough(size)) return key === 'q' || key === 'ctrl-c' ? quit() : undefined;
    const before = latest.current.ui;
    const shown = before.frozen ?? known();
    const room = bodyRoom(known(), before, size);
    const situation = {
      ui: before,
      model: shown,
      page: Math.max(1, size.rows - FRAME_ROWS),
      isMap: showsMap(shown, before, room),
      helpEnd: helpView(before, room).end,
    };
    const outcome = press(situation, key);
    change(outcome.ui);
    say(outcome.said);
    if (outcome.command) void carryOut(outcome.command);
  });
  return <Screen model={model} ui={ui} size={size} />;
}

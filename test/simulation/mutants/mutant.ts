/** One place in the source and its replacement; `find` must occur exactly once. */
interface Edit {
  file: string;
  find: string;
  replace: string;
}

/** A test outside the simulator that fails with a mistake. */
export interface ShowingTest {
  /** Path in the checkout. */
  file: string;
  /** The title of the test, without those of its suites. */
  title: string;
}

/** A deliberate mistake in the protocol or its shell. */
export interface Mutant {
  name: string;
  /** The mistake in words. */
  mistake: string;
  /** For a rare one: the faults that it needs together, by name. */
  needs?: readonly string[];
  /** For one that no run of thousands shows, because something else makes good for it later: the test that shows it. */
  shownBy?: ShowingTest;
  edits: readonly [Edit, ...Edit[]];
}

/** An edit in the core; `file` without its extension, such as `protocol/step`. */
export const core = (file: string, find: string, replace: string): Edit => ({
  file: `src/core/${file}.ts`,
  find,
  replace,
});

/** An edit in a model. */
export const model = (file: string, find: string, replace: string): Edit => ({
  file: `test/simulation/model/${file}.ts`,
  find,
  replace,
});

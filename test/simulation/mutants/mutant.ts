/** One place in the source and its replacement. `find` must occur exactly once. */
interface Edit {
  file: string;
  find: string;
  replace: string;
}

/** A test outside the simulator that fails with a mistake. */
export interface ShowingTest {
  file: string;
  /** The title of the test, without the titles of its suites. */
  title: string;
}

/** A deliberate mistake in the protocol or its shell. */
export interface Mutant {
  name: string;
  mistake: string;
  /** The faults that together show the mistake. Only for mistakes that rarely have an effect. */
  needs?: readonly string[];
  /** The test that shows the mistake. Some mistakes have no effect in thousands of runs, because other code makes up for them. Only they have this field. */
  shownBy?: ShowingTest;
  edits: readonly [Edit, ...Edit[]];
}

/** An edit in the core. `file` has no extension, for example `protocol/step`. */
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

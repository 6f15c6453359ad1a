/** One place in the source and its replacement; `find` must occur exactly once. */
interface Edit {
  file: string;
  find: string;
  replace: string;
}

/** A deliberate mistake in the protocol or its shell. */
export interface Mutant {
  name: string;
  /** The mistake in words. */
  mistake: string;
  /** For a rare one: the faults that it needs together, by name. */
  needs?: readonly string[];
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

/** One place in the source and what a mistake would make of it; `find` has to occur exactly once. */
interface Edit {
  file: string;
  find: string;
  replace: string;
}

/** A deliberate mistake in the protocol or its shell. */
export interface Mutant {
  name: string;
  /** What somebody got wrong. */
  mistake: string;
  edits: readonly [Edit, ...Edit[]];
}

/** An edit in the core; `file` without its extension, such as `protocol/step`. */
export const core = (file: string, find: string, replace: string): Edit => ({
  file: `src/core/${file}.ts`,
  find,
  replace,
});

/** An edit in a model: what the code would get from it. */
export const model = (file: string, find: string, replace: string): Edit => ({
  file: `test/simulation/model/${file}.ts`,
  find,
  replace,
});

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

/** An edit in the protocol. */
export const group = (file: string, find: string, replace: string): Edit => ({
  file: `src/core/group/${file}.ts`,
  find,
  replace,
});
/** An edit in what handles partitions. */
export const consume = (file: string, find: string, replace: string): Edit => ({
  file: `src/core/consume/${file}.ts`,
  find,
  replace,
});

/** An edit in what talks to the server. */
export const nats = (file: string, find: string, replace: string): Edit => ({
  file: `src/core/nats/${file}.ts`,
  find,
  replace,
});

/** An edit in a model: what the code would get from it. */
export const model = (file: string, find: string, replace: string): Edit => ({
  file: `test/simulation/model/${file}.ts`,
  find,
  replace,
});

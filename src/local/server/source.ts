/** Somewhere to get a server from. */
export interface ServerSource {
  /** For messages: `github.com`, `apt-get`. */
  readonly name: string;
  /** One line: what is about to happen. */
  readonly announcement: string;
  /** Whether it can work on this machine at all. */
  applies(): boolean;
  /**
   * Gets the program into the given empty folder, and nothing outside of it, and returns its path there.
   * Throws an Error whose message says in a few words what failed.
   */
  get(folder: string): Promise<string>;
}

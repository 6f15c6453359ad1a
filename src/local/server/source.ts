/** A source from which a nats-server can be fetched. */
export interface ServerSource {
  /** The name of the source in messages: `github.com`, `apt-get`. */
  readonly name: string;
  readonly announcement: string;
  /** True if the source has a server for this machine. */
  applies(): boolean;
  /**
   * Fetches the program into the given empty folder, and writes nothing elsewhere. Returns its path.
   *
   * @throws Error with a short reason.
   */
  get(folder: string): Promise<string>;
}

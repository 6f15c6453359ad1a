import type { TestServer } from './server.js';

/** Flags that name the stream of the current test. Each test has its own stream, named by this letter and a number. */
export function withPlace(server: Pick<TestServer, 'url'>, letter: string): () => string[] {
  let streams = 0;
  let place: string[] = [];
  beforeEach(() => {
    const stream = `${letter}${++streams}`;
    place = ['--server', server.url, '--stream', stream, '--prefix', `${stream}.e`];
  });
  return () => place;
}

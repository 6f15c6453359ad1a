import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';

/** Runs code in a process of its own, because mocha listens to unhandled rejections, too. Returns the exit code and the lines of output. */
function run(code: string): { status: number | null; lines: string[] } {
  const prelude = `
    import { guardStrays } from './src/core/member/partition/strays.ts';
    import { HandlerCall } from './src/core/member/partition/handler-call.ts';
    import { followCall } from './src/core/member/partition/handler-timeout.ts';
    import { systemClock } from './src/core/lib/clock.ts';
    const call = (handler) => {
      const context = new HandlerCall({ partition: 0, epoch: 1 }, { sequence: 1 }, 1);
      return new Promise((resolve) =>
        followCall(context, handler({}, context), systemClock, undefined, (end) => resolve(end?.error.message)));
    };
    const stray = async () => void Promise.reject(new Error('stray'));
  `;
  const args = ['--import', 'tsx', '--input-type=module', '--eval', prelude + code];
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  return { status, lines: stdout.trim().split('\n') };
}

/** Calls both handlers, stops one guard, and calls the other handler again. Prints the outcomes, and how many listeners remain. */
const USE_BOTH = `
  console.log(await call(one.handler));
  console.log(await call(two.handler));
  one.stop();
  console.log(await call(two.handler));
  two.stop();
  console.log(process.listenerCount('unhandledRejection'));
`;

describe('the guard against stray rejections', function () {
  this.timeout(30_000);

  it('several members guard their handlers in one process, and a stray rejection fails only its own message', () => {
    const { status, lines } = run(`
      const [one, two] = [guardStrays(stray), guardStrays(stray)];
      ${USE_BOTH}
    `);
    assert.deepEqual(lines, ['stray', 'stray', 'stray', '0']);
    assert.equal(status, 0);
  });

  it('a rejection that belongs to no handler ends the process if the program does not listen to such rejections', () => {
    const { status, lines } = run(`
      guardStrays(stray);
      guardStrays(stray);
      process.on('exit', () => console.log('the process ends'));
      Promise.reject(new Error('unrelated'));
      setTimeout(() => console.log('the process goes on'), 50);
    `);
    assert.deepEqual(lines, ['the process ends']);
    assert.notEqual(status, 0);
  });

  it('a rejection that belongs to no handler is left to the listener of the program', () => {
    const { status, lines } = run(`
      guardStrays(stray);
      guardStrays(stray);
      process.on('unhandledRejection', ({ message }) => console.log(message));
      Promise.reject(new Error('unrelated'));
    `);
    assert.deepEqual(lines, ['unrelated']);
    assert.equal(status, 0);
  });

  it('two copies of the library in one process guard their own handlers, and take no guard for a listener of the program', () => {
    const copies = `
      const copy = await import('./src/core/member/partition/strays.ts?copy');
      console.log(copy.guardStrays !== guardStrays);
      const [one, two] = [guardStrays(stray), copy.guardStrays(stray)];
    `;
    const guarded = run(`${copies}
      ${USE_BOTH}
    `);
    assert.deepEqual(guarded, { lines: ['true', 'stray', 'stray', 'stray', '0'], status: 0 });
    const unrelated = run(`${copies}
      process.on('exit', () => console.log('the process ends'));
      Promise.reject(new Error('unrelated'));
      setTimeout(() => console.log('the process goes on'), 50);
    `);
    assert.deepEqual(unrelated.lines, ['true', 'the process ends']);
    assert.notEqual(unrelated.status, 0);
  });
});

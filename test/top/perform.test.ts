import assert from 'node:assert/strict';
import type { Ending, EndOrder } from '../../src/core/admin/end-member.js';
import type { HeldUpOutcome } from '../../src/core/admin/held-up.js';
import { NatspocError } from '../../src/core/lib/errors.js';
import type { Operator } from '../../src/top/act/operator.js';
import { type Action, announce, perform } from '../../src/top/screen/perform.js';
import type { Target } from '../../src/top/screen/state.js';

const moved = {
  partition: 3,
  outcome: 'moved',
  from: 'a',
  to: 'b',
  epoch: 41,
  tookMs: 8,
  forced: false,
  message: null,
  denied: false,
} as const;

const ending = (changes: Partial<Ending> = {}): Ending => ({
  ended: true,
  alone: false,
  moved: new Map([
    ['b', [0, 3]],
    ['c', [6]],
  ]),
  left: [],
  tookMs: 35,
  ...changes,
});

const heldUp = (partition: number, outcome: HeldUpOutcome['outcome'], message: string | null = null) => ({
  ...{ partition, outcome, owner: 'a', message, denied: false },
});

/** An operator that does nothing, and gives these answers. */
const operating = (answers: Partial<Operator> = {}): Operator => ({
  letters: {
    list: async () => [],
    original: async () => undefined,
    drop: async () => {},
    putBack: async () => 77,
  },
  release: async () => moved,
  pause: async () => undefined,
  retry: async (partition) => heldUp(partition, 'retried'),
  skip: async ({ partition, deadLetter }) => heldUp(partition, deadLetter ? 'dead-letter' : 'skipped'),
  end: async () => ending(),
  askToStop: async () => undefined,
  joined: async () => undefined,
  ...answers,
});

const far: Target = {
  session: 's',
  name: 'far',
  host: 'elsewhere',
  pid: 1,
  startedAt: '2026-01-05T12:00:00.000Z',
  local: false,
};

const said = (command: Action, operator: Operator | undefined = operating()) =>
  perform(command, { operator, env: {} });

describe('the notice of an action', () => {
  it('the notice gives the outcome for a message that held a partition up', async () => {
    const retry = { type: 'retry', partition: 3 } as const;
    const skip = { type: 'skip', partition: 3, sequence: 9, deadLetter: false } as const;
    assert.deepEqual(await said(retry), { text: 'p3: a tries again now.', level: 'info' });
    assert.deepEqual(await said(skip), { text: 'p3: a has skipped the message.', level: 'info' });
    assert.match((await said({ ...skip, deadLetter: true }))?.text ?? '', /has stored the message as a dead/);
    const refusing = operating({ skip: async () => heldUp(3, 'failed', 'its owner a does not answer') });
    assert.deepEqual(await said(skip, refusing), {
      text: 'p3: its owner a does not answer.',
      level: 'error',
    });
    assert.match(announce(skip)?.text ?? '', /Giving up message 9/);
  });

  it('the notice names the moved partitions, their new owners and the time', async () => {
    assert.deepEqual(await said({ type: 'release', partition: 3 }), {
      text: 'p3 moved a -> b in 8 ms, at epoch 41.',
      level: 'info',
    });
    assert.deepEqual(await said({ type: 'stop', target: far }), {
      text: 'far stopped: p0 p3 -> b, p6 -> c, in 35 ms.',
      level: 'info',
    });
  });

  it('the notice is an error with the reason if the action failed', async () => {
    const failed = { ...moved, outcome: 'failed', message: 'a does not answer' } as const;
    const release = await said({ type: 'release', partition: 3 }, operating({ release: async () => failed }));
    assert.deepEqual(release, { text: 'p3 not released: a does not answer.', level: 'error' });
    const unfinished = operating({ pause: async () => 'its owner a is still running' });
    const pause = await said({ type: 'pause', partition: 3, paused: true }, unfinished);
    assert.deepEqual(pause, {
      text: 'The pause of p3 is set, but its owner a is still running.',
      level: 'error',
    });
    const silent = operating({ end: async () => 'it does not answer' });
    assert.match(
      (await said({ type: 'stop', target: far }, silent))?.text ?? '',
      /was not stopped: it does not/,
    );
  });

  it('the notice names partitions that have no owner afterwards', async () => {
    const alone = ending({ ended: false, alone: true, moved: new Map(), left: [0, 1] });
    const killed = await said({ type: 'kill', target: far }, operating({ end: async () => alone }));
    assert.deepEqual(killed, {
      text: 'far killed: p0 p1 have no owner until another member joins.',
      level: 'error',
    });
    const stuck = ending({ ended: false, moved: new Map(), left: [0], tookMs: 15_000 });
    const late = await said({ type: 'stop', target: far }, operating({ end: async () => stuck }));
    assert.match(late?.text ?? '', /its session has not ended after 15 s: p0 -> no owner/);
  });

  it('a member on another machine is asked over NATS, and the detection of a killed member is not awaited', async () => {
    const orders: EndOrder[] = [];
    let asked = 0;
    const operator = operating({
      end: async (_session, order) => {
        orders.push(order);
        return (await order.tell()) ?? ending();
      },
      askToStop: async () => {
        asked++;
        return undefined;
      },
    });
    await said({ type: 'stop', target: far }, operator);
    assert.equal(asked, 1);
    assert.equal(orders[0]?.leaves, true);
    // A process is checked before it is signaled. Pid 1 is not a member.
    const killed = await said({ type: 'kill', target: { ...far, local: true } }, operator);
    assert.equal(orders[1]?.leaves, false);
    assert.equal(killed?.level, 'error');
    assert.match(killed?.text ?? '', /far was not killed: 1 is not a valid process id/);
  });

  it('a refusal is shown as one line, and a fault of this program is thrown', async () => {
    const refusing = operating({
      release: async () => {
        throw new NatspocError('not-permitted', 'Could not: not permitted to publish x.');
      },
    });
    assert.deepEqual(await said({ type: 'release', partition: 0 }, refusing), {
      text: 'Could not: not permitted to publish x.',
      level: 'error',
    });
    const broken = operating({
      release: async () => {
        throw new TypeError('a fault');
      },
    });
    await assert.rejects(said({ type: 'release', partition: 0 }, broken), TypeError);
  });

  it('the first notice shows the running action', () => {
    assert.deepEqual(announce({ type: 'release', partition: 3 }), { text: 'Releasing p3 …', level: 'busy' });
  });
});

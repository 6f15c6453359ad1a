import assert from 'node:assert/strict';
import fc from 'fast-check';
import { gainsOf, heirsOf, nextOwnerOf } from '../../src/top/model/forecast.js';
import { group, lease, override, play, session } from './support.js';

describe('the forecast of top', () => {
  it('the forecast gives each partition of an ending member to another member', () => {
    const shape = fc.record({
      members: fc.integer({ min: 2, max: 9 }),
      partitions: fc.integer({ min: 1, max: 40 }),
    });
    fc.assert(
      fc.property(shape, ({ members, partitions }) => {
        const model = play(group(members, partitions));
        const heirs = heirsOf(model, 'a');
        const given = [...heirs.values()].flat().sort((a, b) => a - b);
        const owned = Array.from({ length: partitions }, (_, p) => p).filter((p) => p % members === 0);
        assert.deepEqual(given, owned);
        assert.ok(![...heirs.keys()].includes('a'));
        assert.ok(![...heirs.keys()].includes(null));
      }),
    );
  });

  it('the forecast gives the partitions to no member if there is no other member, or all others are leaving', () => {
    assert.deepEqual([...heirsOf(play(group(1, 2)), 'a')], [[null, [0, 1]]]);
    const leaving = play([
      ...group(2, 2),
      [1, { type: 'changes', entries: [session('b', 900, { leaving: true })] }],
    ]);
    assert.deepEqual([...heirsOf(leaving, 'a')], [[null, [0]]]);
    assert.equal(nextOwnerOf(leaving, 0), null);
  });

  it('the forecast follows pins to present members, by name or session', () => {
    const model = play([
      ...group(3, 6),
      [
        1,
        { type: 'changes', entries: [override(0, 900, { pin: 'c' }), override(3, 901, { pin: 'nobody' })] },
      ],
    ]);
    assert.equal(model.group.pinnedTo(0)?.id, 'c');
    assert.equal(model.group.pinnedTo(3), undefined);
    assert.ok(heirsOf(model, 'a').get('c')?.includes(0));
  });

  it('the forecast names the member with the fewest partitions as the next owner, and the first by id among equals', () => {
    assert.equal(nextOwnerOf(play(group(3, 8)), 0)?.id, 'c');
    assert.equal(nextOwnerOf(play(group(3, 9)), 0)?.id, 'b');
    const unowned = play([...group(2, 2), [1, { type: 'changes', entries: [lease(0, 900, null)] }]]);
    assert.equal(nextOwnerOf(unowned, 0)?.id, 'a');
  });

  it('the forecast gives a new member its share, each partition from its current owner', () => {
    const shape = fc.record({
      members: fc.integer({ min: 1, max: 9 }),
      partitions: fc.integer({ min: 1, max: 40 }),
    });
    fc.assert(
      fc.property(shape, ({ members, partitions }) => {
        const gains = gainsOf(play(group(members, partitions)));
        const share = Math.floor(partitions / (members + 1));
        assert.ok([share, share + 1].includes([...gains.values()].flat().length));
        for (const [owner, got] of gains) {
          for (const partition of got) assert.equal(owner, String.fromCharCode(97 + (partition % members)));
        }
      }),
    );
    assert.deepEqual([...gainsOf(play(group(0, 2)))], [[null, [0, 1]]]);
  });
});

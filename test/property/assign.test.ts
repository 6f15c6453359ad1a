import assert from 'node:assert/strict';
import fc from 'fast-check';
import { assign, type Holding, type Plan } from '../../src/core/protocol/assign.js';

/** A group as a view shows it: its owners, and the members that may own partitions. An owner that is not a member has gone. */
interface View {
  members: string[];
  holdings: Holding[];
}

const PRIME = 10_007;

/** Views of up to this many members and partitions. Some partitions have no owner, or an owner that has gone. */
function views(most: { members: number; partitions: number }): fc.Arbitrary<View> {
  return fc
    .record({
      ids: fc.uniqueArray(fc.stringMatching(/^[A-Z0-9]{1,4}$/), {
        minLength: 1,
        maxLength: most.members + 2,
      }),
      leaving: fc.integer({ min: 0, max: 2 }),
      owners: fc.array(fc.option(fc.nat()), { minLength: 1, maxLength: most.partitions }),
      salt: fc.integer({ min: 1, max: PRIME - 1 }),
    })
    .map(({ ids, leaving, owners, salt }) => {
      const members = ids.slice(0, Math.max(1, Math.min(most.members, ids.length - leaving)));
      const holdings = owners.map((owner, partition) => ({
        partition,
        owner: owner === null ? null : (ids[owner % ids.length] ?? null),
        // Different epochs, in any order.
        epoch: ((partition + 1) * salt) % PRIME,
      }));
      return { members, holdings };
    });
}

function loads(members: readonly string[], plan: Plan): number[] {
  const counts = new Map(members.map((id) => [id, 0]));
  for (const id of plan.values()) counts.set(id, (counts.get(id) ?? 0) + 1);
  return [...counts.values()];
}

const spread = (counts: readonly number[]): number => Math.max(...counts) - Math.min(...counts);

const moves = (holdings: readonly Holding[], at: (partition: number) => string | undefined): number =>
  holdings.filter(({ partition, owner }) => at(partition) !== owner).length;

/** The fewest moves of any balanced assignment, found by trying all of them. */
function fewestByTrying({ members, holdings }: View): number {
  let fewest = Number.POSITIVE_INFINITY;
  for (let n = 0; n < members.length ** holdings.length; n++) {
    const owners = holdings.map(
      (_, i) => members[Math.floor(n / members.length ** i) % members.length] ?? '',
    );
    if (spread(members.map((id) => owners.filter((owner) => owner === id).length)) > 1) continue;
    const moved = owners.filter((owner, i) => owner !== holdings[i]?.owner).length;
    fewest = Math.min(fewest, moved);
  }
  return fewest;
}

/**
 * How many partitions must move in every balanced distribution. It is fewest if the members with the most partitions get the larger shares.
 */
function lowerBound({ members, holdings }: View): number {
  const share = Math.floor(holdings.length / members.length);
  const larger = holdings.length % members.length;
  const held = members.map((id) => holdings.filter(({ owner }) => owner === id).length).sort((a, b) => b - a);
  return held.reduce(
    (left, count, i) => left - Math.min(count, i < larger ? share + 1 : share),
    holdings.length,
  );
}

describe('assign', () => {
  it('a plan gives every partition to a member, with loads that differ by at most one', () => {
    fc.assert(
      fc.property(views({ members: 8, partitions: 40 }), ({ members, holdings }) => {
        const plan = assign(members, holdings);
        assert.equal(plan.size, holdings.length);
        assert.ok([...plan.values()].every((id) => members.includes(id)));
        assert.ok(spread(loads(members, plan)) <= 1);
      }),
    );
  });

  it('a plan moves as few partitions as the best of all balanced assignments', () => {
    fc.assert(
      fc.property(views({ members: 3, partitions: 6 }), (view) => {
        const plan = assign(view.members, view.holdings);
        assert.equal(
          moves(view.holdings, (partition) => plan.get(partition)),
          fewestByTrying(view),
        );
      }),
    );
  });

  it('a plan meets the lower bound of moves for large groups', () => {
    fc.assert(
      fc.property(views({ members: 40, partitions: 400 }), (view) => {
        const plan = assign(view.members, view.holdings);
        assert.equal(
          moves(view.holdings, (partition) => plan.get(partition)),
          lowerBound(view),
        );
      }),
    );
  });

  it('the plan is the same for any order of members and partitions', () => {
    fc.assert(
      fc.property(views({ members: 8, partitions: 40 }), fc.infiniteStream(fc.nat()), (view, order) => {
        const plan = assign(view.members, view.holdings);
        const mixed = <T>(list: readonly T[]): T[] =>
          list
            .map((item) => ({ item, at: order.next().value ?? 0 }))
            .sort((a, b) => a.at - b.at)
            .map(({ item }) => item);
        assert.deepEqual(
          new Map([...assign(mixed(view.members), mixed(view.holdings))].sort()),
          new Map([...plan].sort()),
        );
      }),
    );
  });

  it('a plan gives nothing to members that are leaving or gone', () => {
    fc.assert(
      fc.property(views({ members: 5, partitions: 30 }), ({ members, holdings }) => {
        const [leaver, ...others] = members;
        fc.pre(others.length > 0);
        assert.ok(![...assign(others, holdings).values()].includes(leaver ?? ''));
      }),
    );
  });

  it('a plan takes from an overloaded member the partitions that it has held longest', () => {
    fc.assert(
      fc.property(views({ members: 6, partitions: 40 }), ({ members, holdings }) => {
        const plan = assign(members, holdings);
        for (const id of members) {
          const own = holdings.filter(({ owner }) => owner === id);
          const kept = own.filter(({ partition }) => plan.get(partition) === id).map(({ epoch }) => epoch);
          const given = own.filter(({ partition }) => plan.get(partition) !== id).map(({ epoch }) => epoch);
          assert.ok(Math.max(0, ...given) < Math.min(Number.POSITIVE_INFINITY, ...kept));
        }
      }),
    );
  });

  it('a plan stays the same while some of its moves are made and others are not', () => {
    fc.assert(
      fc.property(
        views({ members: 8, partitions: 40 }),
        fc.infiniteStream(fc.boolean()),
        ({ members, holdings }, made) => {
          const plan = assign(members, holdings);
          const halfway = holdings.map((holding) => {
            const owner = plan.get(holding.partition) ?? null;
            const moved = owner !== holding.owner && made.next().value === true;
            return moved ? { ...holding, owner, epoch: holding.epoch + PRIME } : holding;
          });
          assert.deepEqual(new Map([...assign(members, halfway)].sort()), new Map([...plan].sort()));
        },
      ),
    );
  });

  it('a plan gives pinned partitions to their members, and balances the other partitions around them', () => {
    fc.assert(
      fc.property(
        views({ members: 5, partitions: 30 }),
        fc.array(fc.nat(), { maxLength: 8 }),
        (view, pins) => {
          const { members } = view;
          const holdings = view.holdings.map((holding, i) => {
            const pin = pins[i];
            return pin === undefined ? holding : { ...holding, pin: members[pin % members.length] ?? null };
          });
          const plan = assign(members, holdings);
          assert.equal(plan.size, holdings.length);
          for (const { partition, pin } of holdings) if (pin) assert.equal(plan.get(partition), pin);
          const unpinned = new Map(members.map((id) => [id, 0]));
          for (const { partition, pin } of holdings) {
            const id = plan.get(partition) ?? '';
            if (!pin) unpinned.set(id, (unpinned.get(id) ?? 0) + 1);
          }
          const all = new Map(members.map((id, i) => [id, loads(members, plan)[i] ?? 0]));
          // If a member was given an unpinned partition, it has at most one partition more than any other member.
          const least = Math.min(...all.values());
          for (const [id, count] of unpinned) if (count > 0) assert.ok((all.get(id) ?? 0) <= least + 1);
        },
      ),
    );
  });

  it('a plan balances 10,000 partitions between 1,000 members', () => {
    const members = Array.from({ length: 1_000 }, (_, i) => `M${i}`);
    const holdings = Array.from({ length: 10_000 }, (_, partition) => ({
      partition,
      owner: `M${(partition * 7) % 1_100}`,
      epoch: partition + 1,
    }));
    assert.equal(spread(loads(members, assign(members, holdings))), 0);
  });
});

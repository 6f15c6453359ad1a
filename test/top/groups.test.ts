import assert from 'node:assert/strict';
import { envOf } from '../../src/top/act/group-env.js';
import { groupsRead } from '../../src/top/screen/group-keys.js';
import { press } from '../../src/top/screen/keys.js';
import type { Outcome } from '../../src/top/screen/outcome.js';
import type { Ui } from '../../src/top/screen/state.js';
import { drawn, uiWith } from './drawn.js';
import { watchable } from './lists.js';
import { group, play } from './support.js';

const model = play(group(2, 8));

const ROWS = [
  watchable('R', 'z'),
  watchable('S', 'g'),
  watchable('S', 'h', { state: 'no-members', members: 0, owned: 0 }),
];

const pressed = (ui: Ui, ...keys: string[]): Outcome =>
  keys.reduce<Outcome>(
    (before, key) => press({ ui: before.ui, model, page: 5, helpEnd: 0, isMap: false }, key),
    { ui },
  );

describe('the groups of the account in top', () => {
  const list = uiWith({ groups: groupsRead(model, ROWS), selected: { partitions: '3' } });

  it('the key o lists the groups of the account, and marks groups that need attention', () => {
    const asked = pressed(uiWith(), 'o');
    assert.deepEqual(asked.command, { type: 'list-groups' });
    assert.match(drawn(model, asked.ui, { columns: 80, rows: 24 }).join('\n'), /loading …/);
    const text = drawn(model, list, { columns: 80, rows: 24 }).join('\n');
    assert.match(text, /\n {4}R +z +2 +8\/8 +12 +3\.0 s/);
    assert.match(text, /\n▶ {3}S +g +2/);
    assert.match(text, /\n ! {2}S +h +0 +0\/8 .*no members/);
  });

  it('Enter switches to another group, and forgets the selections of the last group', () => {
    const { ui, command } = pressed(list, 'j', 'enter');
    assert.deepEqual(command, { type: 'open-group', stream: 'S', group: 'h' });
    assert.deepEqual([ui.groups, ui.selected], [null, {}]);
    assert.equal(pressed(list, 'k', 'k', 'k').ui.groups?.at, 0);
    assert.deepEqual([pressed(list, 'q').ui.groups, pressed(list, 'q').command], [null, undefined]);
    assert.deepEqual(pressed(list, 'o').command, { type: 'list-groups' });
  });

  it('a chosen group starts with an empty screen, and added members join it', () => {
    const target = { servers: [], stream: 'S', group: 'h', bucket: 'S_leases' };
    const other = play([[1_000, { type: 'target', target }]], model);
    assert.deepEqual([other.ready, other.updates.length, other.connection.state], [false, 0, 'connected']);
    const same = { ...target, group: 'g' };
    assert.equal(play([[1_000, { type: 'target', target: same }]], model).ready, true);
    assert.deepEqual(envOf(model, model.target), {});
    const env = envOf(other, model.target);
    assert.deepEqual(
      [env.CONSUMER_GROUP, env.LEASE_BUCKET, env.SUBJECT_PREFIX],
      ['h', 'S_leases', undefined],
    );
    assert.ok('SUBJECT_PREFIX' in env);
  });
});

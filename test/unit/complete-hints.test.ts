import assert from 'node:assert/strict';
import { shellWord } from '../../src/core/lib/text.js';
import { completeHints, selectionOf } from '../../src/text/complete-hints.js';

describe('the commands that a message recommends', () => {
  const selection = selectionOf({
    server: 'nats://10.0.0.5:4222',
    stream: 'ORDERS',
    group: 'billing',
    json: true,
    tlsfirst: true,
  });

  it('a recommended command gets the flags with which this command was started', () => {
    assert.equal(
      completeHints('halted p3; "natspoc leases retry 3" starts it, "natspoc leases" shows more', selection),
      'halted p3; "natspoc leases retry 3 --server nats://10.0.0.5:4222 --stream ORDERS --group billing" starts it, ' +
        '"natspoc leases --server nats://10.0.0.5:4222 --stream ORDERS --group billing" shows more',
    );
    const none = 'Choose where to continue with "natspoc leases seek".';
    assert.equal(completeHints(none, {}), none);
  });

  it('a recommended command gets no flag twice, and no group that it does not use', () => {
    assert.equal(
      completeHints('"natspoc stream dead --group other" lists it', { stream: 'ORDERS', group: 'billing' }),
      '"natspoc stream dead --group other --stream ORDERS" lists it',
    );
    assert.equal(
      completeHints('"natspoc stream trim" or "natspoc groups delete old"', {
        stream: 'O',
        group: 'billing',
      }),
      '"natspoc stream trim --stream O" or "natspoc groups delete old --stream O"',
    );
  });

  it('names that are not commands stay as they are', () => {
    const file = 'it is not a file of "natspoc groups export"; start a server with "natspoc server"';
    assert.equal(completeHints(file, selection), file);
  });

  it('a value with characters of the shell is quoted in a recommended command', () => {
    assert.equal(
      completeHints('"natspoc leases" shows more', { stream: 'ORDERS', group: '$(reboot)' }),
      `"natspoc leases --stream ORDERS --group '$(reboot)'" shows more`,
    );
  });

  it('a recommended command gets its flags even if a name in it contains quotation marks', () => {
    for (const name of ['a"b', `it's`, `'"'`, 'a b']) {
      const command = `natspoc stream dead --group ${shellWord(name)}`;
      assert.equal(
        completeHints(`"${command}" lists it, "natspoc leases" shows more`, { stream: 'O' }),
        `"${command} --stream O" lists it, "natspoc leases --stream O" shows more`,
      );
    }
  });

  it('a recommended command contains no password, and nothing that a shell would interpret', () => {
    const given = selectionOf({ server: 'nats://joe:secret@host:4222', stream: '$(rm x)', bucket: 'B' });
    assert.equal(completeHints('"natspoc stream delete"', given), '"natspoc stream delete --bucket B"');
  });
});

import assert from 'node:assert/strict';
import { NatsError } from 'nats';
import { GroupAdmin } from '../../src/core/admin/group-admin.js';
import type { GroupPorts } from '../../src/core/admin/group-admin-contract.js';
import { loadConfig } from '../../src/core/config/config.js';
import { NatspocError } from '../../src/core/lib/errors.js';
import { GroupOperator } from '../../src/top/act/operator.js';

describe('the actions of the screen', () => {
  it('every action that fails says what could not be done, in an error of this program', async () => {
    const fail = () => Promise.reject(new NatsError('DISCONNECT', 'DISCONNECT'));
    const watch = () => {
      throw new NatsError('DISCONNECT', 'DISCONNECT');
    };
    // The actions use only these ports.
    const ports = { group: 'g', control: { ask: fail }, observer: { watch } } as unknown as GroupPorts;
    const group = new GroupAdmin(loadConfig({ flags: {}, env: {} }), 1, ports);
    const operator = new GroupOperator(
      () => group,
      () => undefined,
    );
    const actions = [
      operator.askToStop('s'),
      operator.release(0),
      operator.pause(0, true),
      operator.retry(0),
      operator.end('s', { leaves: true, tell: async () => undefined }),
    ];
    for (const action of actions)
      await assert.rejects(action, (error) => {
        assert.ok(error instanceof NatspocError, String(error));
        assert.match(error.message, /^Could not .*: the connection to NATS was lost\.$/);
        return true;
      });
    operator.close();
  });
});

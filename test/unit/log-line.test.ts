import assert from 'node:assert/strict';
import { logLine } from '../../src/cli/log-line.js';

describe('a line of a log for programs', () => {
  it('a line of a log has the level, the whole message and the fields, with errors as text', () => {
    const fields = { event: 'halted', message: 'message 1 failed', error: new Error('no way') };
    const { time, ...others } = JSON.parse(logLine('json', 'error: halted p0', fields));
    assert.ok(!Number.isNaN(Date.parse(time)));
    assert.deepEqual(others, { level: 'error', message: 'halted p0', event: 'halted', error: 'no way' });
  });
});

import assert from 'node:assert/strict';
import { compileTemplate } from '../../src/cli/publish/template.js';
import { NatspocError } from '../../src/core/lib/errors.js';

describe('compileTemplate', () => {
  it('a template does not change text without actions', () => {
    for (const text of ['', 'plain', '{"a":{"b":1}}', 'a } b']) assert.equal(compileTemplate(text)(7), text);
  });

  it('the counter of a template may be written with or without spaces and dots, and any number of times', () => {
    assert.equal(compileTemplate('{{Count}}')(1), '1');
    assert.equal(compileTemplate('order {{Count}}')(12), 'order 12');
    assert.equal(compileTemplate('{{ Count }}/{{.Cnt}} of {{Count}}!')(3), '3/3 of 3!');
  });

  it('a template supports the time functions of nats pub', () => {
    const nowS = Date.now() / 1_000;
    assert.match(compileTemplate('{{TimeStamp}}')(1), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)$/);
    assert.ok(Math.abs(Date.parse(compileTemplate('{{TimeStamp}}')(1)) / 1_000 - nowS) < 5);
    assert.match(compileTemplate('{{Time}}')(1), /^\d{1,2}:\d\d(AM|PM)$/);
    assert.ok(Math.abs(Number(compileTemplate('{{Unix}}')(1)) - nowS) < 5);
    assert.ok(Math.abs(Number(compileTemplate('{{UnixNano}}')(1)) / 1e9 - nowS) < 5);
  });

  it('a template makes ids and random texts of the requested length, new for each message', () => {
    const id = compileTemplate('{{ID}}');
    assert.match(id(1), /^[0-9A-Za-z]{22}$/);
    assert.notEqual(id(1), id(1));
    const random = compileTemplate('{{ Random 3 5 }}');
    for (let i = 0; i < 100; i++) assert.match(random(1), /^[0-9A-Za-z]{3,5}$/);
    assert.equal(compileTemplate('{{Random 0 0}}')(1), '');
  });

  it('a template with unknown actions is refused, and the error names them', () => {
    for (const text of [
      '{{Foo}}',
      '{{Count',
      '{{}}',
      '{{Random 5}}',
      '{{Random 5 3}}',
      '{{Count 1 2}}',
      '{{toString}}',
    ]) {
      assert.throws(
        () => compileTemplate(text),
        (error) => error instanceof NatspocError && error.code === 'usage' && !error.message.includes('\n'),
        text,
      );
    }
  });
});

import assert from 'node:assert/strict';
import { type ConsumerInfo, createInbox, headers } from 'nats';
import { type GroupMember, joinGroup } from '../../src/core/index.js';
import { until } from '../support/until.js';
import { withManager } from '../support/with-manager.js';

/** A client that is allowed to create consumers on a stream can also change its groups' readers. */
describe('a reader that another client changed', function () {
  this.timeout(60_000);
  const at = withManager();
  let member: GroupMember | undefined;
  let streams = 0;
  let stream: string;

  beforeEach(() => {
    stream = `C${++streams}`;
  });
  afterEach(async () => {
    await member?.leave();
    member = undefined;
  });

  /**
   * Starts a member of a stream with two partitions. Returns the messages that it handles, by partition. Also returns its reports of
   * unreadable partitions.
   */
  const start = async () => {
    const place = { connection: at.connection, stream, prefix: `${stream}.e`, partitions: 2 };
    const handled: string[][] = [[], []];
    const unread: string[] = [];
    member = await joinGroup({
      ...place,
      handler: ({ data }, { partition }) => void handled[partition]?.push(Buffer.from(data).toString()),
      listen: (joined) => joined.on('unread', ({ reason }) => unread.push(reason)),
    });
    const publish = (partition: number, text: string) =>
      at.connection.jetstream().publish(`${stream}.e.p.${partition}`, text);
    return { handled, unread, publish };
  };
  const readerOf = async (partition: number) => {
    let found: ConsumerInfo | undefined;
    await until('the reader is open', async () => {
      const readers = await at.manager.consumers.list(stream).next();
      found = readers.find(({ name }) => name.startsWith(`natspoc-default-p${partition}-`));
      return found !== undefined;
    });
    assert.ok(found);
    return found;
  };

  it('no message is handled without its payload after a reader was changed to omit payloads', async () => {
    const { handled, unread, publish } = await start();
    await publish(0, 'before');
    await until('the message is handled', () => handled[0]?.length === 1);
    const { name, config } = await readerOf(0);
    await at.manager.consumers.update(stream, name, { ...config, headers_only: true });
    await publish(0, 'payload');
    await until('the message is handled', () => handled[0]?.length === 2);
    assert.deepEqual(handled[0], ['before', 'payload']);
    assert.deepEqual(unread, ['its reader delivers message 2 without its payload']);
    assert.notEqual((await readerOf(0)).config.headers_only, true);
  });

  it('each partition handles its own messages, and no others, after its reader was changed to another partition', async () => {
    const { handled, unread, publish } = await start();
    await publish(0, 'before');
    await until('the message is handled', () => handled[0]?.length === 1);
    const { name, config } = await readerOf(0);
    await at.manager.consumers.update(stream, name, { ...config, filter_subject: `${stream}.e.p.1` });
    await publish(0, 'own');
    await publish(1, 'other');
    await until('both messages are handled', () => handled[0]?.length === 2 && handled[1]?.length === 1);
    assert.deepEqual(handled, [['before', 'own'], ['other']]);
    assert.deepEqual(unread, [`its reader delivers messages of ${stream}.e.p.1`]);
  });

  it('if another client points a reader at a partition without messages, the change is detected and no message is lost', async () => {
    const { handled, unread, publish } = await start();
    await publish(0, 'before');
    await until('the message is handled', () => handled[0]?.length === 1);
    const { name, config } = await readerOf(0);
    await at.manager.consumers.update(stream, name, { ...config, filter_subject: `${stream}.e.p.1` });
    await publish(0, 'own');
    await until('the message is handled', () => handled[0]?.length === 2, 20_000);
    assert.deepEqual(handled, [['before', 'own'], []]);
    assert.deepEqual(unread, [`its reader was changed to deliver messages of ${stream}.e.p.1`]);
    assert.equal((await readerOf(0)).config.filter_subject, `${stream}.e.p.0`);
  });

  it('an idle reader that was changed to omit payloads is replaced before a message arrives', async () => {
    const { unread } = await start();
    const { name, config } = await readerOf(1);
    await at.manager.consumers.update(stream, name, { ...config, headers_only: true });
    await until('the change is noticed', () => unread.length === 1, 20_000);
    assert.deepEqual(unread, ['its reader was changed to leave out payloads']);
  });

  it('a message is still handled if another client has pulled it from the reader', async () => {
    const { handled, unread, publish } = await start();
    const { name } = await readerOf(0);
    const stolen: string[] = [];
    const thief = at.connection.subscribe(createInbox(), {
      callback: (_error, message) => {
        if (message.reply) stolen.push(message.string());
      },
    });
    const order = JSON.stringify({ batch: 1, expires: 30_000_000_000 });
    at.connection.publish(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${name}`, order, {
      reply: thief.getSubject(),
    });
    const sent: string[] = [];
    // The server serves pull requests in turn. The member's request is the first.
    while (stolen.length === 0 && sent.length < 5) {
      sent.push(`message ${sent.length}`);
      await publish(0, sent.at(-1) ?? '');
      await until(
        'the other client has received a message',
        () => (handled[0]?.length ?? 0) + stolen.length === sent.length,
      );
    }
    assert.equal(stolen.length, 1);
    await until('the member has handled all messages', () => handled[0]?.length === sent.length, 20_000);
    assert.deepEqual(handled[0], sent);
    assert.deepEqual(unread, ['another client has pulled messages from its reader']);
  });

  it('a reader that another client paused (possible from nats-server 2.11 on) is replaced', async () => {
    const { handled, unread, publish } = await start();
    const { name } = await readerOf(0);
    const order = JSON.stringify({ pause_until: new Date(Date.now() + 3_600_000).toISOString() });
    const answer = await at.connection
      .request(`$JS.API.CONSUMER.PAUSE.${stream}.${name}`, order)
      .then((message) => message.json<{ paused: boolean }>())
      .catch(() => ({ paused: false }));
    await publish(0, 'own');
    await until('the message is handled', () => handled[0]?.length === 1, 20_000);
    assert.deepEqual(unread, answer.paused ? ['its reader was paused'] : []);
  });

  it('a header that a publisher has set does not make its reader count as changed', async () => {
    const { handled, unread } = await start();
    const forged = headers();
    forged.set('Nats-Msg-Size', '5');
    await at.connection.jetstream().publish(`${stream}.e.p.0`, '', { headers: forged });
    await until('the message is handled', () => handled[0]?.length === 1);
    assert.deepEqual(handled[0], ['']);
    assert.equal(unread.length, 1);
  });
});

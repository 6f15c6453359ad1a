import { parse as parseDotenv } from 'dotenv';
import fc from 'fast-check';
import { parsePartitions } from '../../src/cli/choose-partitions.js';
import { decodeContext } from '../../src/cli/context.js';
import { compileTemplate } from '../../src/cli/publish/template.js';
import { parseSeekTarget } from '../../src/core/admin/seek-target.js';
import { loadConfig } from '../../src/core/config/config.js';
import { parseBackoff } from '../../src/core/config/retry.js';
import { SETTINGS, type SettingName } from '../../src/core/config/settings.js';
import { parseFrom } from '../../src/core/config/start-from.js';
import { credentialsOf, redactUrls } from '../../src/core/lib/redact-url.js';
import { escapeControl, pad, textWidth, toJson, truncate, wrap } from '../../src/core/lib/text.js';
import { parseBytes, parseDuration, parseRate } from '../../src/core/lib/units.js';
import { decodeHeaders, plainHeaders } from '../../src/core/nats/client/headers.js';
import { DeliveryReader, parseDelivery } from '../../src/core/nats/jetstream/delivery.js';
import { PubAckReader } from '../../src/core/nats/jetstream/puback.js';
import { decodeStatsAnswer } from '../../src/core/nats/service/member-stats.js';
import { readLetter } from '../../src/core/protocol/dead-letter.js';
import { parseGroupKey, partitionIn } from '../../src/core/protocol/keys.js';
import { partitionOf, partitionOfSubject } from '../../src/core/protocol/layout.js';
import { decodeGroupLayout, decodeLayout } from '../../src/core/protocol/layout-records.js';
import { decodeControlAnswer, decodeRelease } from '../../src/core/protocol/member-orders.js';
import { decodeMemberStats } from '../../src/core/protocol/member-stats.js';
import { parseMessageKey, partitionByKey } from '../../src/core/protocol/message-key.js';
import { inheritedBy } from '../../src/core/protocol/partition-start.js';
import { decodeJob, decodePosition, decodeStart } from '../../src/core/protocol/position-records.js';
import { unreadableAs } from '../../src/core/protocol/record-format.js';
import { decodeLease, decodeOverride, decodeSession } from '../../src/core/protocol/records.js';
import { subjectMatcher } from '../../src/core/protocol/subject.js';
import { parseHandled } from '../../src/local/demo/processes.js';
import { decodeEvent } from '../../src/top/model/decode.js';
import type { TopEvent } from '../../src/top/model/events.js';
import { initialModel } from '../../src/top/model/model.js';
import { reduce } from '../../src/top/model/reduce.js';
import { NO_HINTS } from '../../src/top/screen/hints.js';
import { PANELS } from '../../src/top/screen/state.js';
import { jsonSnapshot } from '../../src/top/snapshot.js';
import { textSnapshot } from '../../src/top/text-snapshot.js';
import { drawnRows, uiWith } from '../top/drawn.js';
import { bytesLike, mutated, RAW, textLike } from './inputs.js';
import {
  EVENTS,
  GROUP_LAYOUT,
  JOB,
  LAYOUT,
  LEASE,
  OVERRIDE,
  POSITION,
  SESSION,
  START,
  STATS,
} from './samples.js';
import { requests, serve } from './service.js';

/** Input from outside that is decoded. */
export interface Target {
  name: string;
  /** This target's share of all cases, relative to the other targets. */
  weight: number;
  property: fc.IRawProperty<unknown>;
}

/** A result may be at most this many times as large as its input, plus this number of characters. */
const GROWTH = 8;
const ALLOWANCE = 65_536;

const sizeOf = (value: unknown): number => JSON.stringify(value)?.length ?? 0;

/** A target that decodes one kind of input. The decoder must not throw, and its result must not be too large. */
function target<T>(name: string, inputs: fc.Arbitrary<T>, decode: (input: T) => unknown, weight = 1): Target {
  const property = fc.property(inputs, (input) => {
    const size = input instanceof Uint8Array ? input.length : sizeOf(input);
    const made = sizeOf(decode(input));
    if (made > size * GROWTH + ALLOWANCE) throw new Error(`${made} characters made of ${size}`);
  });
  return { name, weight, property };
}

/** A target whose decoder refuses input by throwing. The error must be a NatspocError with one line that is safe on a terminal. */
function refusing<T>(
  name: string,
  inputs: fc.Arbitrary<T>,
  decode: (input: T) => unknown,
  weight = 1,
): Target {
  return target(
    name,
    inputs,
    (input) => {
      try {
        return decode(input);
      } catch (error) {
        if (error instanceof Error && error.name === 'NatspocError')
          return safe(escapeControl(error.message));
        throw error;
      }
    },
    weight,
  );
}

function safe(text: string): string {
  if (RAW.test(text)) throw new Error(`raw control characters in ${JSON.stringify(text)}`);
  return text;
}

const recorded = (values: readonly unknown[]): TopEvent[] =>
  values.flatMap((value) => {
    const event = decodeEvent(JSON.parse(JSON.stringify(value ?? null)));
    return event ? [event] : [];
  });

const SIZE = { columns: 100, rows: 30 };
// biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
const STYLE = /\u001b\[\d+m/g;

function show(events: readonly TopEvent[]): void {
  const model = events.reduce(reduce, initialModel(events[0]?.at ?? 0));
  for (const line of textSnapshot(model, SIZE.columns, NO_HINTS).split('\n')) safe(line);
  safe(toJson(jsonSnapshot(model, NO_HINTS)));
  // Ink takes some milliseconds for a frame, so each recording is drawn with only one panel.
  const ui = uiWith({ focus: PANELS[events.length % PANELS.length] ?? 'partitions' });
  for (const row of drawnRows(model, ui, SIZE)) safe(row.replaceAll(STYLE, ''));
}

/** Any value as text, even one that has no conversion to a string. */
const textIn = (value: unknown): string =>
  typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
const REPLY = '$JS.ACK.EVENTS.reader.1.42.42.1795845811881000000.7';
const LONG_REPLY = '$JS.ACK._.hash.EVENTS.reader.1.42.42.1795845811881000000.7.token';
const ACK = {
  stream: 'EVENTS',
  seq: 7,
  duplicate: true,
  error: { code: 503, err_code: 10077, description: 'x' },
};
const LETTER = {
  'Natspoc-Dead-Stream': 'EVENTS',
  'Natspoc-Dead-Sequence': '7',
  'Natspoc-Dead-Partition': '3',
  'Natspoc-Dead-Group': 'g',
  'Natspoc-Dead-Attempts': '3',
  'Natspoc-Dead-Error': 'boom',
  'Natspoc-Dead-Time': '2026-11-28T00:00:00.000Z',
};
const ANSWER = {
  type: 'io.nats.micro.v1.stats_response',
  name: 'natspoc',
  id: 'AB',
  endpoints: [{ name: 'stop' }, { name: 'release', data: STATS }],
};
const CONTEXTS = [
  '{"url":"nats://u:p@h:4222","user":"","token":"t","creds":"~/c","tls_first":true,"constructor":"x","toString":"y"}',
  '{"description":"","url":"tls://h","user":"u","password":"p","nkey":"","jetstream_domain":"d","inbox_prefix":"_I"}',
];
const SETTING_TEXTS = [
  '10s',
  '500ms',
  '1KiB',
  '8',
  'true',
  'seq:9',
  'time:2026-11-28T00:00:00Z',
  'a.b',
  'nats://u:p@h:4222',
];
const headersOf = (value: unknown): Record<string, string> =>
  Object.fromEntries(Object.entries(Object(value)).map(([name, each]) => [name, textIn(each)]));

export const TARGETS: readonly Target[] = [
  target('sessions', bytesLike(SESSION), decodeSession),
  target('leases', bytesLike(LEASE), decodeLease),
  target('overrides', bytesLike(OVERRIDE), decodeOverride),
  target('positions', bytesLike(POSITION), decodePosition),
  target('starts', bytesLike(START), decodeStart),
  target('jobs', bytesLike(JOB), decodeJob),
  target('layouts', bytesLike(LAYOUT), decodeLayout),
  target('layouts of groups', bytesLike(GROUP_LAYOUT), (bytes) => {
    const layout = decodeGroupLayout(bytes);
    if (!layout) return undefined;
    const message = { sequence: 1, subject: 'orders.c7', data: new Uint8Array(), size: 0, timestampMs: 0 };
    const inherited = inheritedBy(0, layout, (each, { partitions }) =>
      partitionByKey(null, each, partitions),
    );
    return [
      layout,
      parseMessageKey(layout.key)?.text,
      subjectMatcher(layout.filter)('orders.c7.paid'),
      inherited?.isHandled({ ...message, key: null, headers: () => ({}) }),
    ];
  }),
  target('keys of messages', bytesLike({ customer: { id: 'c7' } }), (data) =>
    ['subject:2', 'header:Customer', 'json:customer.id'].map((text) => {
      const subject = Buffer.from(data).toString('latin1');
      const message = { sequence: 1, subject, data, size: data.length, timestampMs: 0, key: null };
      const key = parseMessageKey(text)?.of({ ...message, headers: () => ({ Customer: subject }) }) ?? null;
      return partitionByKey(key, { ...message, headers: () => ({}) }, 8);
    }),
  ),
  target('unreadable records', bytesLike(SESSION, POSITION), unreadableAs),
  target('keys of the bucket', textLike('group.g.lease.3', 'group.g.session.AB'), (key) => [
    parseGroupKey('g', key),
    partitionIn(key),
  ]),
  target('subjects and keys', textLike('a.p.3', 'key-7'), (text) => [
    partitionOfSubject('a', text),
    partitionOf(text, 8),
  ]),
  target('deliveries', textLike(REPLY, LONG_REPLY), (reply) => {
    const reader = new DeliveryReader();
    reader.read(REPLY);
    return [parseDelivery(reply), reader.read(reply), reader.timestampMs];
  }),
  target('acknowledgements', bytesLike(ACK, { stream: 'EVENTS', seq: 7 }), (bytes) => {
    const reader = new PubAckReader('EVENTS');
    reader.decode(new TextEncoder().encode('{"stream":"EVENTS","seq":7}'));
    return [reader.sequence(bytes), reader.decode(bytes)];
  }),
  target(
    'headers',
    textLike('NATS/1.0\r\nA: b\r\nMy Header: v\r\nNatspoc-Key: a\rb\r\n\r\n', 'NATS/1.0 503\r\n\r\n').map(
      (text) => new TextEncoder().encode(text),
    ),
    (bytes) => {
      const headers = decodeHeaders(bytes);
      return [plainHeaders(headers), headers.code, headers.description];
    },
  ),
  target('STATS', mutated(STATS), decodeMemberStats),
  target('answers to STATS', bytesLike(ANSWER, STATS), decodeStatsAnswer),
  target('requests to a member', requests, serve),
  target(
    'orders',
    bytesLike({ partitions: [1, 2], to: 'x' }, { partitions: 'all', paused: true }),
    (bytes) => [decodeRelease(bytes), decodeControlAnswer(bytes)],
  ),
  target('dead letters', mutated(LETTER).map(headersOf), (headers) =>
    readLetter({ sequence: 1, data: new Uint8Array(), headers }, 'EVENTS'),
  ),
  target(
    'lines of consume',
    textLike('{"partition":1,"sequence":2,"epoch":3,"key":null,"data":"x"}'),
    (line) => parseHandled(line, 'c', 0, 0),
  ),
  refusing(
    'settings',
    fc.tuple(
      fc.constantFrom<SettingName>(...(Object.keys(SETTINGS) as SettingName[])),
      textLike(...SETTING_TEXTS),
    ),
    ([name, text]) => {
      loadConfig({ flags: {}, env: { [SETTINGS[name].env]: text } });
    },
  ),
  refusing('.env', textLike('NATS_URL=nats://h:1\nTTL="10s"\n', "A='b'\nPARTITIONS=9\n"), (text) => {
    loadConfig({ flags: {}, env: {}, dotenv: parseDotenv(text) });
  }),
  refusing('contexts', textLike(...CONTEXTS), (text) => {
    const values = decodeContext({ name: 'c', file: 'f', text }, { HOME: '/h' });
    for (const name of Object.keys(values))
      if (!Object.hasOwn(SETTINGS, name)) throw new Error(`${name} is not a setting`);
    loadConfig({ flags: {}, env: {}, context: { name: 'c', values } });
  }),
  target('quantities', textLike(...SETTING_TEXTS), (text) => [
    parseDuration(text),
    parseBytes(text),
    parseRate(text),
    parseBackoff(text),
    parseFrom(text),
  ]),
  refusing('arguments', textLike('3', '0-3', '7,9', 'first', '-100', 'time:2026-11-28'), (text) => [
    parsePartitions([text], 16),
    parseSeekTarget(text),
  ]),
  refusing('templates', textLike('a {{Count}} {{Random 3 9}}', '{{TimeStamp}}'), (text) =>
    compileTemplate(text)(1),
  ),
  target('URLs', textLike('nats://user:pass@host:4222,tls://h'), (url) => [
    redactUrls(url),
    credentialsOf(url),
  ]),
  target('texts', textLike('plain', 'wide 漢字 text', '👩‍👩‍👧'), (text) => {
    const shown = safe(escapeControl(text));
    const back: unknown = JSON.parse(safe(toJson({ text })));
    if (sizeOf(back) !== sizeOf({ text })) throw new Error('JSON changed its meaning');
    if (textWidth(truncate(shown, 9)) > 9) throw new Error('too wide');
    return [pad(shown, 12), wrap(shown, 7)];
  }),
  target('recordings', fc.array(fc.oneof(...EVENTS.map(mutated)), { maxLength: 8 }), (values) => {
    const events = recorded(values);
    events.reduce(reduce, initialModel(events[0]?.at ?? 0));
  }),
  // These cases are much slower, because they draw. So there are few of them.
  target(
    'recordings on the screen',
    fc.array(fc.oneof(...EVENTS.map(mutated)), { maxLength: 8 }),
    (values) => show(recorded(values)),
    0.02,
  ),
];

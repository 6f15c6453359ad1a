import { NatspocError } from '../../lib/errors.js';
import { partitionOfSubject } from '../../protocol/layout.js';
import type { GroupLayoutRecord } from '../../protocol/layout-records.js';
import { type MessageKey, parseMessageKey, partitionByKey } from '../../protocol/message-key.js';
import type { PartitionIn } from '../../protocol/partition-start.js';

/** The partition of a message: by its subject if there is a prefix, otherwise by its key. */
export const byKey: PartitionIn = (message, { partitions, prefix }) =>
  prefix === undefined
    ? partitionByKey(message.key, message, partitions)
    : (partitionOfSubject(prefix, message.subject) ?? -1);

/**
 * The key by which a member finds the partitions of its group's messages.
 *
 * @param given the key that the program passes, if any.
 * @throws NatspocError `config` if the group's key is a function that the program does not pass.
 */
export function keyOfGroup(
  group: string,
  { key: text }: GroupLayoutRecord,
  given: MessageKey | undefined,
): MessageKey {
  const key = given?.text === text ? given : parseMessageKey(text);
  if (key) return key;
  throw new NatspocError(
    'config',
    `Group ${group} has the key ${text}: only a program that joins with this function can handle the group.`,
  );
}

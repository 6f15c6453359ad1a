/** Everybody works in one account, with this limit of its consumers. */
const account = (maxConsumers: number, user: string): string => `
accounts { A {
  jetstream: { max_mem: 1GB, max_file: 10GB, max_streams: -1, max_consumers: ${maxConsumers} }
  users: [ { user: ${user}, password: ${user} } ]
} }
`;

/** The configuration of the one server of a run: whoever connects is let in. */
export const OPEN = `${account(-1, 'chaos')}no_auth_user: chaos\n`;

/** Nobody is let in. */
export const REFUSING = account(-1, 'other');

/** Fewer consumers than a group of some members and partitions has. */
export const LIMITED = `${account(6, 'chaos')}no_auth_user: chaos\n`;

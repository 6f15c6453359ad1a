/** One account for all clients. `maxConsumers` limits its consumers. */
const account = (maxConsumers: number, user: string): string => `
accounts { A {
  jetstream: { max_mem: 1GB, max_file: 10GB, max_streams: -1, max_consumers: ${maxConsumers} }
  users: [ { user: ${user}, password: ${user} } ]
} }
`;

/** For a run with one server: all clients can connect. */
export const OPEN = `${account(-1, 'chaos')}no_auth_user: chaos\n`;

/** Refuses all clients. */
export const REFUSING = account(-1, 'other');

/** Allows fewer consumers than the group has readers. */
export const LIMITED = `${account(6, 'chaos')}no_auth_user: chaos\n`;

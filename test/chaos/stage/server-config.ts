/** One account for all clients, with this limit of consumers. */
const account = (maxConsumers: number, user: string): string => `
accounts { A {
  jetstream: { max_mem: 1GB, max_file: 10GB, max_streams: -1, max_consumers: ${maxConsumers} }
  users: [ { user: ${user}, password: ${user} } ]
} }
`;

/** The configuration of a run with one server: all clients may connect. */
export const OPEN = `${account(-1, 'chaos')}no_auth_user: chaos\n`;

/** The configuration with which all clients are refused. */
export const REFUSING = account(-1, 'other');

/** The configuration that allows fewer consumers than the group has readers. */
export const LIMITED = `${account(6, 'chaos')}no_auth_user: chaos\n`;

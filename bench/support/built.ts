/**
 * The program as it is shipped. What runs the sources of a benchmark rewrites them on the way and makes some of
 * their functions slower, so what is measured comes from `dist`, under the types of the sources.
 */
const from = async (path: string): Promise<unknown> =>
  import(new URL(`../../dist/core/${path}`, import.meta.url).href);

export const { GroupMember } = (await from(
  'group-member.js',
)) as typeof import('../../src/core/member/group-member.js');

import { nkeys } from 'nats';

type KeyPair = ReturnType<typeof nkeys.createUser>;

const text = new TextDecoder();
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function jwt(issuer: KeyPair, subject: string, name: string, nats: object, expiresAt?: number): string {
  const claims = {
    jti: `${name}-${Math.random()}`,
    iat: Math.floor(Date.now() / 1_000),
    iss: issuer.getPublicKey(),
    sub: subject,
    name,
    nats: { version: 2, ...nats },
    ...(expiresAt !== undefined && { exp: expiresAt }),
  };
  const body = `${part({ typ: 'JWT', alg: 'ed25519-nkey' })}.${part(claims)}`;
  return `${body}.${Buffer.from(issuer.sign(new TextEncoder().encode(body))).toString('base64url')}`;
}

/** A server configuration in operator mode, and credentials files for its one account. */
export interface OperatorMode {
  config: string;
  /** The text of a credentials file. `expiresAt` is in seconds since 1970. */
  creds(expiresAt?: number): string;
}

const UNLIMITED = {
  ...{ subs: -1, data: -1, payload: -1, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 },
  ...{ mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 },
};

/** Makes an operator, an account with JetStream, and users on demand. */
export function operatorMode(): OperatorMode {
  const operator = nkeys.createOperator();
  const account = nkeys.createAccount();
  const system = nkeys.createAccount();
  const accountJwt = (of: KeyPair, name: string, limits: object): string =>
    jwt(operator, of.getPublicKey(), name, { type: 'account', limits });
  const operatorJwt = jwt(operator, operator.getPublicKey(), 'O', { type: 'operator' });
  // The system account cannot have JetStream.
  const { mem_storage, disk_storage, streams, consumer, ...plain } = UNLIMITED;
  return {
    config: `
      operator: ${operatorJwt}
      system_account: ${system.getPublicKey()}
      resolver: MEMORY
      resolver_preload: {
        ${account.getPublicKey()}: ${accountJwt(account, 'A', UNLIMITED)}
        ${system.getPublicKey()}: ${accountJwt(system, 'SYS', plain)}
      }`,
    creds: (expiresAt) => {
      const user = nkeys.createUser();
      const limits = { subs: -1, data: -1, payload: -1 };
      const userJwt = jwt(account, user.getPublicKey(), 'U', { type: 'user', ...limits }, expiresAt);
      return [
        '-----BEGIN NATS USER JWT-----',
        userJwt,
        '------END NATS USER JWT------',
        '',
        '-----BEGIN USER NKEY SEED-----',
        text.decode(user.getSeed()),
        '------END USER NKEY SEED------',
        '',
      ].join('\n');
    },
  };
}

/** The profile that the environment describes. */
import type { Environment } from '../framework/command.ts';
import { CommandError } from '../framework/errors.ts';

type Fields = Readonly<Record<string, string | boolean | undefined>>;

/** Fields that nothing is set for are left out. @throws CommandError Profile */
export function envProfile(env: Environment): Fields {
  const either = (name: string): string | undefined => env[`TRITON_${name}`] || env[`SDC_${name}`] || undefined;
  const fields: Fields = {
    url: either('URL'),
    account: either('ACCOUNT'),
    user: either('USER'),
    roles: env['TRITON_ROLE'] || undefined,
    keyId: either('KEY_ID'),
    actAsAccount: env['TRITON_ACT_AS'] || undefined,
    insecure: insecureOf(env),
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function insecureOf(env: Environment): boolean | undefined {
  for (const name of ['TRITON_TLS_INSECURE', 'SDC_TLS_INSECURE']) {
    const value = env[name];
    if (value === undefined || value === '') continue;
    if (value === 'true' || value === '1') return true;
    if (value === 'false' || value === '0') return false;
    throw new CommandError(`${name} is ${JSON.stringify(value)}; it must be true, false, 1 or 0`, { code: 'Profile' });
  }
  // The tools before triton took any value for yes.
  return env['SDC_TESTING'] ? true : undefined;
}

/** What of a configuration counts as a secret is what its schema marks as one. */
import { test } from 'tap';
import { secretsIn } from '#src/service/config/secrets.ts';

test('secrets are what the schema marks, in any section, and URLs with a password', async (t) => {
  const given = {
    postgres: { host: 'db', password: 'one' },
    s3: { accessKeyId: 'AKIA', secretAccessKey: 'two' },
    ufds: { url: 'ldaps://ufds', bindDN: 'cn=root', bindPassword: 'three' },
    links: { password: 'four' },
    httpProxy: 'http://user:five@proxy.example.com:3128',
    webhooks: [{ name: 'a', url: 'https://a.example.com' }, { url: 'https://user:six@b.example.com' }],
  };
  t.strictSame(secretsIn(given), [
    'postgres.password',
    's3.secretAccessKey',
    'ufds.bindPassword',
    'links.password',
    'httpProxy',
    'webhooks[1].url',
  ]);
});

test('the URL of a database is a secret only with a password', async (t) => {
  t.strictSame(secretsIn({ postgres: { url: 'postgres://imgapi@db/imgapi' } }), []);
  t.strictSame(secretsIn({ postgres: { url: 'postgres://imgapi:one@db/imgapi' } }), ['postgres.url']);
  t.strictSame(secretsIn({ postgres: { password: '' } }), []);
});

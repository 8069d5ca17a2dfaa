import { test } from 'tap';
import { jsonLines, runImgapiadm } from '../../capture.ts';
import { administered } from '../../data-folder.ts';
import { ALICE } from '../../fixtures.ts';
import { json } from '../../playback.ts';

const TOKEN = 'imgapi-link-v1.0123456789abcdef.AAAA';
const OK = [
  { check: 'reach', ok: true, detail: 'version 5.0.0 answers' },
  { check: 'clock', ok: true, detail: 'the clocks agree' },
];
const BROKEN = [...OK, { check: 'reach back', ok: false, detail: 'it cannot reach us', mend: 'open the firewall' }];
const REPORT = {
  datacenter: 'us-west-1',
  url: 'http://10.1.0.7:8443',
  ok: true,
  checks: OK,
  created: true,
  our_key: 'SHA256:ours',
  their_keys: ['SHA256:theirs'],
  pull_origins: ['https://manta.example.com'],
  problems: [],
  firewall_rules: [{ rule: 'FROM ip 10.1.0.7 TO tag "smartdc_role" = "imgapi" ALLOW tcp PORT 8443', enabled: true }],
  sapi_metadata: { metadata: { IMGAPI_LINKS_PORT: 8443 } },
};

test('a link token stands alone on standard output, what to do with it beside', async (t) => {
  const made = {
    token: TOKEN,
    expires: '2017-10-17T21:10:00.000Z',
    datacenter: 'us-west-1',
    url: 'http://10.1.0.7:8443',
  };
  const { server, run } = await administered(t, { 'POST /datacenters/token': json(made) });
  t.strictSame(await run('link-token', '--accounts', ALICE, '--pull-origin', 'https://manta.example.com'), {
    code: 0,
    stdout: `${TOKEN}\n`,
    stderr: [
      'It works once, until 2017-10-17T21:10:00.000Z. In the other datacenter:',
      '    imgapiadm link-dc us-west-1 http://10.1.0.7:8443 --token TOKEN',
      '',
    ].join('\n'),
  });
  const [{ headers, body } = { headers: {}, body: '' }] = server.asked;
  t.equal(headers.authorization, 'Bearer s3cret');
  t.strictSame(JSON.parse(body), { allowed_accounts: [ALICE], pull_origins: ['https://manta.example.com'] });
  t.strictSame(JSON.parse((await run('link-token', '--json')).stdout), made);
});

test('two datacenters are linked, with all that belongs to it', async (t) => {
  const { server, run } = await administered(t, { 'POST /datacenters': json(REPORT) });
  t.strictSame(await run('link-dc', 'us-west-1', 'http://10.1.0.7:8443', '--token', TOKEN), {
    code: 0,
    stdout: [
      'Linked with us-west-1.',
      '    our key         SHA256:ours',
      '    their keys      SHA256:theirs',
      '    pull URLs from  https://manta.example.com',
      '    it may read     images of all accounts',
      '',
      'CHECK  RESULT  DETAIL',
      'reach  ok      version 5.0.0 answers',
      'clock  ok      the clocks agree',
      '',
      'Firewall rules, for fwadm add:',
      JSON.stringify(REPORT.firewall_rules[0]),
      '',
      'SAPI metadata, for sapiadm update:',
      '{"metadata":{"IMGAPI_LINKS_PORT":8443}}',
      '',
    ].join('\n'),
    stderr: '',
  });
  t.strictSame(JSON.parse(server.asked[0]?.body ?? ''), {
    name: 'us-west-1',
    url: 'http://10.1.0.7:8443',
    token: TOKEN,
  });
});

test('a link that does not work yet says what to mend, and is a failure', async (t) => {
  const { run } = await administered(t, {
    'POST /datacenters': json({ ...REPORT, created: false, ok: false, checks: BROKEN }),
  });
  const { code, stdout } = await run('link-dc', 'us-west-1', 'http://10.1.0.7:8443', '--token', TOKEN);
  t.equal(code, 1);
  t.match(stdout, /^Already linked with us-west-1; nothing was changed\.\n/);
  t.match(stdout, /reach back {2}FAILED {2}it cannot reach us\nTo mend "reach back": open the firewall\.\n/);
});

test('what the other datacenter only announces is shown, and how to take it', async (t) => {
  const announced_pull_origins = ['https://objects.example.com'];
  const { run } = await administered(t, {
    'POST /datacenters': json({ ...REPORT, created: false, changed: true, announced_pull_origins }),
  });
  const { code, stdout } = await run('link-dc', 'us-west-1', 'http://10.1.0.7:8443', '--token', TOKEN);
  t.equal(code, 0);
  t.match(stdout, /^Already linked with us-west-1; its terms are now those given\.\n/);
  t.match(stdout, /announces pull URLs from https:\/\/objects\.example\.com; .*--pull-origin/);
});

test('with --check the transfers are tried too, and their result counts', async (t) => {
  const { server, run } = await administered(t, {
    'POST /datacenters': json(REPORT),
    'POST /datacenters/us-west-1/check': json({ ...REPORT, ok: false, checks: BROKEN }),
  });
  const { code, stdout } = await run(
    'link-dc',
    'us-west-1',
    'http://10.1.0.7:8443',
    '--token',
    TOKEN,
    '--check',
    '--json',
  );
  t.equal(code, 1);
  t.match(JSON.parse(stdout), { created: true, ok: false, checks: BROKEN });
  t.equal(server.asked.length, 2);
});

const WRONG: readonly [string, readonly string[], RegExp][] = [
  ['no token', ['us-west-1', 'http://10.1.0.7'], /missing --token TOKEN/],
  ['no URL', ['us-west-1', '--token', TOKEN], /missing URL/],
  [
    'a URL that is none',
    ['us-west-1', '10.1.0.7', '--token', TOKEN],
    /URL is "10\.1\.0\.7"; it must be an http or https URL/,
  ],
  [
    'an account by login',
    ['us-west-1', 'http://10.1.0.7', '--token', TOKEN, '--accounts', 'bob'],
    /--accounts is "bob"/,
  ],
  [
    'an origin with a path',
    ['a', 'http://10.1.0.7', '--token', TOKEN, '--pull-origin', 'http://a/b'],
    /must be an origin/,
  ],
];

for (const [what, args, message] of WRONG) {
  test(`link-dc with ${what} asks nothing`, async (t) => {
    const { server, run } = await administered(t, {});
    t.match(await run('link-dc', ...args), { code: 2, stderr: message });
    t.equal(server.asked.length, 0);
  });
}

test('a datacenter is unlinked, and told', async (t) => {
  const report = { datacenter: 'us-west-1', told: true, pulls: { links: 2, bytes: 2048 } };
  const { server, run } = await administered(t, { 'DELETE /datacenters/us-west-1': json(report) });
  t.strictSame(await run('unlink-dc', 'us-west-1'), {
    code: 0,
    stdout: 'Unlinked from us-west-1. Pull links removed: 2 (2.0 KiB).\n',
    stderr: '',
  });
  t.equal(server.asked[0]?.headers.authorization, 'Bearer s3cret');
});

test('a datacenter that could not be told has to be unlinked there', async (t) => {
  const report = { datacenter: 'us-west-1', told: false, error: 'no route', pulls: { links: 0, bytes: 0 } };
  const { run } = await administered(t, { 'DELETE /datacenters/us-west-1': json(report) });
  t.strictSame(await run('unlink-dc', 'us-west-1'), {
    code: 0,
    stdout: 'Unlinked from us-west-1.\n',
    stderr: 'It could not be told (no route): unlink there as well.\n',
  });
});

test('a name is part of the path, whatever is in it', async (t) => {
  const { server, run } = await administered(t, {});
  await run('unlink-dc', '../images/x?y');
  t.equal(server.asked[0]?.path, '/datacenters/..%2Fimages%2Fx%3Fy');
});

test('a datacenter that is not linked is not found', async (t) => {
  const answer = json({ code: 'ResourceNotFound', message: 'datacenter "x" is not linked' }, 404);
  const { run } = await administered(t, { 'DELETE /datacenters/x': answer });
  t.match(await run('unlink-dc', 'x'), {
    code: 4,
    stderr: 'imgapiadm: error (ResourceNotFound): datacenter "x" is not linked\n',
  });
});

test('datacenters are listed with their health', async (t) => {
  const found = [
    { name: 'eu-ams-1', url: 'http://10.2.0.7', kind: 'legacy' },
    {
      name: 'us-west-1',
      url: 'http://10.1.0.7:8443',
      kind: 'link',
      health: {
        checked_at: '2017-10-17T21:00:00.123Z',
        ok: false,
        error: 'clock: 400 s ahead',
        clock_skew_seconds: 400,
      },
    },
  ];
  const { run } = await administered(t, { 'GET /datacenters': json(found) });
  t.strictSame(await run('datacenters'), {
    code: 0,
    stdout: [
      'NAME       KIND    URL                   HEALTH              CHECKED',
      'eu-ams-1   legacy  http://10.2.0.7       -                   -',
      'us-west-1  link    http://10.1.0.7:8443  clock: 400 s ahead  2017-10-17T21:00:00Z',
      '',
    ].join('\n'),
    stderr: '',
  });
  t.equal(
    (await run('datacenters', '-H', '-o', 'name,skew,accounts')).stdout,
    'eu-ams-1       -  -\nus-west-1  400 s  all\n',
  );
  t.strictSame(jsonLines((await run('datacenters', '--json')).stdout), found);
});

test('a link is checked on demand', async (t) => {
  const path = 'POST /datacenters/us-west-1/check';
  const { run } = await administered(t, {
    [path]: [json({ ...REPORT }), json({ ...REPORT, ok: false, checks: BROKEN })],
  });
  t.match(await run('datacenters', 'check', 'us-west-1'), { code: 0, stdout: /^CHECK +RESULT +DETAIL\nreach +ok/ });
  t.match(await run('datacenters', 'check', 'us-west-1'), { code: 1, stdout: /To mend "reach back"/ });
});

test('a key is rotated', async (t) => {
  const report = { new_key: 'SHA256:new', dropped: ['SHA256:old'], announced: ['us-west-1'], failed: [] };
  const { server, run } = await administered(t, { 'POST /datacenters/rotate-key': json(report) });
  t.strictSame(await run('rotate-key'), {
    code: 0,
    stdout: 'New key: SHA256:new\nAnnounced to: us-west-1\nOut of use: SHA256:old\n',
    stderr: '',
  });
  await run('rotate-key', '--drop');
  t.strictSame(
    server.asked.map(({ path }) => path),
    ['/datacenters/rotate-key', '/datacenters/rotate-key?drop=true'],
  );
});

test('a rotation that did not reach everybody goes on when it is repeated', async (t) => {
  const report = {
    new_key: 'SHA256:new',
    dropped: [],
    announced: [],
    failed: [{ datacenter: 'us-west-1', error: 'down' }],
  };
  const { run } = await administered(t, { 'POST /datacenters/rotate-key': json(report) });
  t.match(await run('rotate-key'), {
    code: 1,
    stdout:
      'New key: SHA256:new\nAnnounced to: nobody\nNot announced to us-west-1: down\nThe old key stays in use until all have the new one; run this again.\n',
  });
});

test('a mistyped second word of a command is told as such', async (t) => {
  t.match(await runImgapiadm(['datacenters', 'chek', 'west']), {
    code: 2,
    stderr: /unexpected arguments "chek", "west"; did you mean "check"\?/,
  });
});

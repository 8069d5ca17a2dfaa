/** What may be shown of a URL, and what may not, however it is written. */
import t from 'tap';
import { redact } from '#lib/text/redact.ts';

const SECRET = 'Geheim';

for (const text of [
  `http://op:${SECRET}@host/path`,
  `HTTPS://op:${SECRET}@host:8080/`,
  `http://${SECRET}@host`,
  `http://op:${SECRET}@x@host/`,
  `http://op:a/${SECRET}@host/`,
  `http://op:${SECRET} ${SECRET}@host/`,
  `http:op:${SECRET}@host/`,
  `http:/op:${SECRET}@host/`,
  `http:\\\\op:${SECRET}@host/`,
  `ldaps://cn=root:${SECRET}@host`,
  `the source http://op:${SECRET}@host:80: connect ECONNREFUSED`,
  JSON.stringify({ a: [`http://op:${SECRET}@host`], b: `x\nhttp://op:${SECRET}@host` }),
  `/images?source=http%3A%2F%2Fop%3A${SECRET}%40host%2F`,
  `/images?source=http%253A%252F%252Fop%253A${SECRET}%2540host%252F`,
  `/pulls/1/x?expires=1&signature=${SECRET}`,
  `/pulls/1/x?%73ignature=${SECRET}&a=b`,
  `/pulls/1/x?%2573ign%61ture=${SECRET}`,
  `/pulls/1/x?SIGNATURE=${SECRET}&Signature=${SECRET}`,
  `/pulls/1/x?signature[]=${SECRET}`,
  `/pulls/1/x?signature%00=${SECRET}`,
  `/pulls/1/x?%e2%80%8bsigna%0ature=${SECRET}`,
  `/pulls/1/x?a=b;signature=${SECRET}`,
  `https://host/pulls/1/x?signature=${SECRET}#a`,
  `https://s3/x?X-Amz-Signature=${SECRET}&X-Amz-Credential=${SECRET}`,
  `https://manta/x?keyId=k&signature=${SECRET}%3D`,
  `/x?next=%2Fpulls%2Fx%3Fsignature%3D${SECRET}`,
  `<https://host/x?token=${SECRET}>; rel="next"`,
]) {
  t.test(`the secret of ${text} is hidden`, async (t) => {
    const shown = redact(text);
    t.notMatch(shown, new RegExp(SECRET));
    t.match(shown, /\(hidden\)|%28hidden%29|\(hidden%29/);
    t.equal(redact(shown), shown, 'once is enough');
  });
}

t.test('what is no secret stays as it is', async (t) => {
  for (const text of [
    '',
    'nothing',
    'http://host:8080/images?name=a&tag.x=b@c#d',
    'http://host/a@b/c',
    'mail op@example.com about http://host/',
    '/images?account=u&action=update&sha1=abc',
    'a=b&c=d',
    'at Object.<anonymous> (file:///x/node_modules/@scope/y.js:1:2)',
    'git+ssh://host/x',
  ]) {
    t.equal(redact(text), text);
  }
  t.equal(redact('http://op:x@host:80/a?b=c'), 'http://(hidden)@host:80/a?b=c');
  t.equal(redact('/x?a=1&signature=s&b=2'), '/x?a=1&signature=(hidden)&b=2');
});

t.test('a long text takes no long time', async (t) => {
  for (const text of ['http://', 'a:', '?a=', '@', 'http://a', '%25', '&signature=']) {
    const begin = performance.now();
    redact(text.repeat(1_000_000 / text.length));
    t.ok(performance.now() - begin < 30_000, text);
  }
});

import { test } from 'tap';
import { isHttpUrl } from '#lib/network/http-url.ts';

test('an http or https URL with a host, and nothing else', async (t) => {
  for (const text of ['http://127.0.0.1:8080', 'https://imgapi.example/path', 'HTTP://host']) {
    t.ok(isHttpUrl(text), text);
  }
  for (const text of ['', 'host', 'ftp://host', 'http:host', 'http:///path', 'http://[']) {
    t.notOk(isHttpUrl(text), text);
  }
});

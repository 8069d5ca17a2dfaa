import { test } from 'tap';
import { bareHost, listenerUrl, portOf } from '#lib/network/listener-url.ts';

test('the URL of a listener gives back its address and port', async (t) => {
  for (const [address, port, url] of [
    ['127.0.0.1', 8080, 'http://127.0.0.1:8080'],
    ['::1', 8080, 'http://[::1]:8080'],
    ['localhost', 80, 'http://localhost:80'],
  ] as const) {
    t.equal(listenerUrl(address, port), url);
    t.equal(bareHost(new URL(url)), address);
    t.equal(portOf(new URL(url)), port);
  }
});

test('a URL without a port has that of its scheme', async (t) => {
  t.equal(portOf(new URL('http://[::1]/')), 80);
  t.equal(portOf(new URL('https://us-east.example.com/imgapi')), 443);
});

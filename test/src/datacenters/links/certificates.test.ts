/** A linked datacenter whose certificate is not accepted: it is there, and its firewall is not to blame. */
import { test } from 'tap';
import { checkLink } from '#src/datacenters/links/check-link.ts';
import { changeLink } from '#src/datacenters/links/links.ts';
import { linkedPair } from '../../../helpers/datacenter.ts';
import { startTlsFront } from '../../../helpers/tls-front.ts';

test('a certificate that is not accepted is what the check of a link says is to be mended', async (t) => {
  const { east, west } = await linkedPair(t);
  const { url } = await startTlsFront(t, west.url);
  await changeLink(east.service, west.name, (link) => ({ ...link, url }));
  const { ok, checks } = await checkLink(east.service, west.name);
  t.equal(ok, false);
  t.match(checks, [{ check: 'reach', ok: false, detail: /self-signed certificate/, mend: /^have the certificate / }]);
});

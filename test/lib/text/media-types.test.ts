import t from 'tap';
import { accepts, isJson, mediaType } from '#lib/text/media-types.ts';

t.test('a media type is one whatever its case and parameters', async (t) => {
  for (const header of ['image/png', 'IMAGE/PNG', ' image/png ', 'image/png; charset=binary', 'Image/Png;a="b;c"']) {
    t.equal(mediaType(header), 'image/png', header);
  }
  for (const header of [undefined, '', 'png', 'image/', '/png', 'image/png, image/gif', 'image png']) {
    t.not(mediaType(header), 'image/png', String(header));
  }
  t.ok(isJson('application/json'));
  t.ok(isJson('application/merge-patch+json'));
  t.notOk(isJson('application/json5'));
});

t.test('what is accepted is read as a list', async (t) => {
  const LINES = 'application/x-json-stream';
  for (const header of [LINES, LINES.toUpperCase(), `text/html, ${LINES}`, `${LINES};q=0.5`, `*/*, ${LINES}; a=b`]) {
    t.ok(accepts(header, LINES), header);
  }
  for (const header of [undefined, '', '*/*', `${LINES};q=0`, `${LINES}er`, `x${LINES}`, `text/html;a=${LINES}`]) {
    t.notOk(accepts(header, LINES), String(header));
  }
});

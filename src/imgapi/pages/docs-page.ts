/** The API's documentation: as it is written, or as a page for browsers. */
import { readFile } from 'node:fs/promises';
import { onceDone } from '#lib/runtime/once-done.ts';

const DOCS = new URL('../../../docs/', import.meta.url);

/** In Markdown. */
export function docsText(): Promise<string> {
  return readFile(new URL('index.md', DOCS), 'utf8');
}

/** In HTML; made once. */
export const docsPage: () => Promise<string> = onceDone(async () => asPage(await docsText()));

export function favicon(): Promise<Buffer> {
  return readFile(new URL('favicon.ico', DOCS));
}

/** Only what this server has under the same name; the other documents are in the source tree. */
const SERVED = /^(#|https?:|openapi\.json$)/;

/** The library is loaded when a browser asks for the first time. */
async function asPage(text: string): Promise<string> {
  const { Marked } = await import('marked');
  const marked = new Marked({
    renderer: {
      heading({ tokens, depth, text: heading }) {
        return `<h${depth} id="${anchorOf(heading)}">${this.parser.parseInline(tokens)}</h${depth}>\n`;
      },
      link({ href, tokens }) {
        const inner = this.parser.parseInline(tokens);
        if (!SERVED.test(href)) return inner;
        return `<a href="${href === 'openapi.json' ? '../openapi.json' : href}">${inner}</a>`;
      },
    },
  });
  return `${HEAD}${await marked.parse(text)}</body>\n</html>\n`;
}

/** As links in the document write it. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\w\s-]/g, '')
    .replace(/\s/g, '-');
}

const HEAD = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>IMGAPI</title>
<style>
body { max-width: 72rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.5 sans-serif; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { border: 1px solid #ccc; padding: 0.2rem 0.6rem; text-align: left; vertical-align: top; }
code, pre { background: #f4f4f4; }
pre { padding: 0.6rem; overflow-x: auto; }
</style>
</head>
<body>
`;

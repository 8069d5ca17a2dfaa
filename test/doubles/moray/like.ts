/** SQL's LIKE: `%` is any text, `_` any character, and a backslash takes the next character as it is. */
export function like(pattern: string): (text: string) => boolean {
  let source = '';
  const characters = Array.from(pattern);
  for (let at = 0; at < characters.length; at += 1) {
    const character = characters[at] ?? '';
    if (character === '%') source += '[^]*';
    else if (character === '_') source += '[^]';
    else {
      if (character === '\\') at += 1;
      source += (characters[at] ?? '').replace(/[\\^$.*+?()[\]{}|/]/, '\\$&');
    }
  }
  const compiled = new RegExp(`^${source}$`, 'u');
  return (text) => compiled.test(text);
}

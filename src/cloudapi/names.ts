/** Names in a parameter or header: separated by commas, or repeated. */
export function namesIn(given: string | readonly string[] | undefined): readonly string[] {
  const names = [given ?? []].flat().flatMap((text) => text.split(','));
  return names.map((name) => name.trim()).filter((name) => name !== '');
}

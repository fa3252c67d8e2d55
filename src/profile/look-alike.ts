/**
 * Characters of other scripts, and digits, that look like a Latin letter; after lower-casing. The commonest of
 * Unicode's confusables (UTS 39), enough that a look-alike is asked about; the ID decides, never the name.
 */
const LOOKS_LIKE: Readonly<Record<string, string>> = Object.fromEntries(
  (
    [
      ['a', 'аαɑ'],
      ['b', 'ьƅ'],
      ['c', 'сϲ'],
      ['d', 'ԁ'],
      ['e', 'еҽ'],
      ['g', 'ɡ'],
      ['h', 'һ'],
      ['l', 'iıіιӏ1|ⅼ'],
      ['j', 'ј'],
      ['k', 'кκ'],
      ['m', 'мⅿ'],
      ['n', 'ո'],
      ['o', '0оοօ'],
      ['p', 'рρ'],
      ['q', 'ԛ'],
      ['s', 'ѕꜱ5'],
      ['t', 'тτ'],
      ['u', 'υս'],
      ['v', 'νѵ'],
      ['w', 'ԝωш'],
      ['x', 'хχ'],
      ['y', 'уγү'],
      ['z', 'ᴢ2'],
    ] as const
  ).flatMap(([latin, others]) => Array.from(others).map((other) => [other, latin])),
)

/** Two names with one skeleton look alike on paper or screen. */
export function skeleton(name: string): string {
  const folded = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[\p{M}\s\p{P}\p{Default_Ignorable_Code_Point}\u2800]/gu, '')
  const mapped = Array.from(folded, (character) => LOOKS_LIKE[character] ?? character).join('')
  return mapped.replaceAll('rn', 'm').replaceAll('vv', 'w')
}

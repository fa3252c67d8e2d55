interface Made {
  readonly name: string
  readonly part: string
  readonly full: string
}

const KEPT = 4096
const made = new Map<string, Made>()

/**
 * `name/part`, the same string as last time if it can be: a string that was looked for before is found several times as
 * fast as an equal one that was just put together, and the pages of a list are looked for with every fact.
 */
export function nameBelow(name: string, part: string): string {
  const by = part === '' ? name : part
  const known = made.get(by)
  if (known?.part === part && known.name === name) return known.full
  if (made.size >= KEPT) made.clear()
  const full = `${name}/${part}`
  made.set(by, { name, part, full })
  return full
}

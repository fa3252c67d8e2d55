interface Made {
  readonly name: string
  readonly part: string
  readonly full: string
}

const KEPT = 4096
const made = new Map<string, Made>()
let last: Made = { name: '', part: '', full: '/' }

/**
 * `name/part`, the same string as last time if it can be: a string that was looked for before is found several times as
 * fast as an equal one that was just put together, and the pages of a list are looked for with every fact.
 */
export function nameBelow(name: string, part: string): string {
  if (part === last.part && name === last.name) return last.full
  const by = part === '' ? name : part
  const known = made.get(by)
  if (known?.part === part && known.name === name) return (last = known).full
  if (made.size >= KEPT) made.clear()
  const full = `${name}/${part}`
  last = { name, part, full }
  made.set(by, last)
  return full
}

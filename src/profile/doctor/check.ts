/** One thing that was looked at. */
export interface Check {
  readonly name: string
  readonly ok: boolean
  /** What was found, or what to do about it; lower case, no full stop. */
  readonly detail: string
}

export function check(name: string, ok: boolean, detail: string): Check {
  return { name, ok, detail }
}

import * as v from 'valibot'
import { concat, toHex, utf8 } from '../../foundation/bytes.js'
import { hash, sha256 } from '../../foundation/crypto.js'
import { auditOf } from '../audit-files.js'
import type { Profile } from '../profile.js'
import { method } from './method.js'

/** The log folded again: with `verify` beside what is stored, else as it is. */
export const replay = method(
  v.object({ verify: v.optional(v.boolean(), false) }),
  async ({ host }, { verify }) => {
    const { profile } = host
    if (!verify) await profile.projections.rebuild()
    const rows = await profile.projections.replayCheck()
    const projections = rows.map(({ name, rows, hash, equal }) => ({ name, rows, hash: hex(hash), equal }))
    return { events: profile.view.seq, hash: stateHash(projections), projections }
  },
)

/** One value for the state of everything shown: equal on every device that replayed the same log. */
function stateHash(projections: readonly { name: string; hash: string }[]): string {
  const lines = projections.map(({ name, hash }) => `${name} ${hash}\n`).sort()
  return toHex(hash('sotto/state/1', sha256(concat(...lines.map(utf8)))))
}

function hex(value: Uint8Array | string): string {
  return typeof value === 'string' ? value : toHex(value)
}

export const head = method(v.object({}), ({ host }) => headOf(host.profile))

export function headOf({ store }: Profile) {
  const { seq, link } = store.head
  return { seq, link: toHex(link) }
}

export const audit = method(v.object({}), ({ host }) => auditOf(host.profile.paths, host.profile.identity))

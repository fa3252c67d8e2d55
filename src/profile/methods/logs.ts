import * as v from 'valibot'
import type { UserId } from '../../events/vocabulary/facts.js'
import { toHex, wipe } from '../../foundation/bytes.js'
import { SottoError } from '../../foundation/errors.js'
import { auditOpen } from '../audit-files.js'
import { exportLines } from '../proof/export.js'
import { linePieces } from '../proof/line-pieces.js'
import { readReceipt, writeReceipt } from '../proof/receipt.js'
import { rekeyLog } from '../rekey.js'
import { stateHash } from '../state-hash.js'
import { compactId, looksLikeId, readId } from '../who.js'
import { type Call, MAX_WHO_CHARACTERS, Milliseconds, Text, method, person } from './method.js'

const MAX_RECEIPT_CHARACTERS = 512
/** A line of the local socket holds this in base 64. */
const PIECE_BYTES = 256 * 1024

/** The log folded again: with `verify` beside what is stored, else as it is. Events tell how far it is: `{done, total}`. */
export const replay = method(
  v.object({ verify: v.optional(v.boolean(), false) }),
  async (call, { verify }) => {
    const { profile } = call.host
    if (!verify) await profile.projections.rebuild()
    const rows = await profile.projections.replayCheck(tellingProgress(call))
    const projections = rows.map(({ name, rows, hash, equal }) => ({ name, rows, hash: toHex(hash), equal }))
    return { events: profile.view.seq, hash: stateHash(projections), projections }
  },
)

/** An event for every hundredth of the way. */
function tellingProgress(call: Call) {
  let told = 0
  return ({ done, total }: { readonly done: number; readonly total: number }) => {
    const hundredths = Math.floor((100 * done) / Math.max(1, total))
    if (hundredths === told) return
    told = hundredths
    call.emit({ done, total })
  }
}

/** The newest record, and a receipt of it to keep elsewhere. */
export const head = method(v.object({}), ({ host, now }) => {
  const { store, vault } = host.profile
  const { seq, link } = store.head
  const seed = vault.addressSeed()
  const receipt = writeReceipt(seed, { logId: store.logId, address: vault.address, seq, link, at: now })
  wipe(seed)
  return { seq, link: toHex(link), receipt }
})

/** For the shape of the answer see docs/CLI.md. @throws bad-receipt */
export const audit = method(
  v.object({ since: v.optional(Text(MAX_RECEIPT_CHARACTERS)) }),
  ({ host }, { since }) => auditOpen(host.profile, since === undefined ? null : readReceipt(since)),
)

const Selection = v.object({
  from: v.optional(Milliseconds),
  to: v.optional(Milliseconds),
  with: v.optional(Text(MAX_WHO_CHARACTERS)),
})

/** An export (SPEC § 4.9) in pieces, as events `{bytes}` in base 64. */
export const exportLog = method(Selection, async (call, { from, to, with: who }) => {
  const person = who === undefined ? undefined : idOfAnyone(call, who)
  const { store, vault } = call.host.profile
  const addressSeed = vault.addressSeed()
  const { logId, head } = store
  const readRecords = (seq: number) => store.readRecords(seq)
  const source = { logId, address: vault.address, addressSeed, head, now: call.now, readRecords }
  try {
    for await (const piece of linePieces(exportLines(source, { from, to, with: person }), PIECE_BYTES)) {
      if (call.signal.aborted) throw new SottoError('cancelled')
      call.emit({ bytes: piece.toString('base64') })
      await call.room()
    }
  } finally {
    wipe(addressSeed)
  }
  return {}
})

/** Also someone of whom nothing is shown any more: the log still tells of them. @throws as resolveWho */
function idOfAnyone(call: Call, who: string): UserId {
  return looksLikeId(compactId(who)) ? readId(who) : person(call, who).id
}

/** A new key for the whole log; everything in it is written again under that, and the old keys are gone. */
export const rekey = method(v.object({}), async ({ host }) => rekeyLog(host.profile))

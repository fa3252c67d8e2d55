import { existsSync } from 'node:fs'
import { packContents } from '../../events/log/transfer/pack-contents.js'
import { toHex } from '../../foundation/bytes.js'
import { SottoError } from '../../foundation/errors.js'
import { writePrivately } from '../../keys/key-file.js'
import type { Profile } from '../profile.js'
import { stateHash } from '../state-hash.js'
import { sealBundle } from './bundle.js'
import type { LogState } from './take-over.js'

/** A bundle that is made as it is read, and the state that it holds. */
export interface Outgoing {
  readonly state: LogState
  readonly bytes: AsyncIterable<Uint8Array>
}

/** The log as far as it is shown now; what comes later is not in it. */
export async function bundleOf({ store, projections, shown, identity, rng }: Profile): Promise<Outgoing> {
  // In one turn with `shown`: the digests are of the state at the moment of the call.
  const digests = projections.hashes()
  const opening = { logId: store.logId, owner: identity.address, ...shown, at: Date.now() }
  const contents = packContents(store.readRecords(), shown)
  const bytes = sealBundle(identity.root, rng, opening, contents)
  return { state: { seq: shown.seq, link: toHex(shown.link), hash: stateHash(await digests) }, bytes }
}

export interface ExportAnswer extends LogState {
  readonly out: string
  /** Of the file. */
  readonly bytes: number
}

/** @throws file-exists unless `overwrite`; file-failed, log-corrupt */
export async function exportBundle(profile: Profile, out: string, overwrite: boolean): Promise<ExportAnswer> {
  if (!overwrite && existsSync(out)) throw new SottoError('file-exists', out)
  const { state, bytes } = await bundleOf(profile)
  let written = 0
  const counted = async function* () {
    for await (const piece of bytes) {
      written += piece.length
      yield piece
    }
  }
  await writePrivately(out, counted(), { overwrite })
  return { out, ...state, bytes: written }
}

import { equalBytes } from '../../foundation/bytes.js'
import type { FactOf } from '../../events/vocabulary/facts.js'
import { fold, table } from '../engine/fold.js'
import type { Reads, Tx } from '../engine/fold.js'
import type { SelfRow } from '../view.js'
import { activated, conflicted, NO_DEVICE, superseded } from './own-device.js'
import { PROJECTION } from './numbers.js'

const ONLY_ROW = 'self'
/** This month's introduction key and the last one serve (SPEC § 6.2). */
const INTRODUCTION_KEYS = 2

const selfTable = table<SelfRow>(PROJECTION.self, 1)

const NOBODY: SelfRow = {
  id: '',
  certificate: new Uint8Array(0),
  spki: new Uint8Array(0),
  nickname: '',
  avatar: null,
  discoverable: true,
  introductionKeys: [],
  friendSecret: null,
  status: 'offline',
  endpoints: [],
  loggedOut: false,
  recovery: null,
  ...NO_DEVICE,
}

/** Undefined until an identity exists. */
export function selfRow(reads: Reads): SelfRow | undefined {
  const row = reads.get(selfTable, ONLY_ROW)
  return row === undefined || row.id === '' ? undefined : row
}

function stored(tx: Tx): SelfRow {
  return tx.get(selfTable, ONLY_ROW) ?? NOBODY
}

function change(tx: Tx, patch: Partial<SelfRow>): void {
  tx.put(selfTable, ONLY_ROW, { ...stored(tx), ...patch })
}

/** An identity is for life: a log never passes to another ID, but the same one may come with a newer certificate. */
function identityCreated({ data }: FactOf<'IdentityCreated'>, tx: Tx): void {
  const known = selfRow(tx)
  if (known !== undefined && known.id !== data.id) return
  change(tx, { id: data.id, certificate: data.certificate, spki: data.spki })
}

function profileChanged({ data }: FactOf<'ProfileChanged'>, tx: Tx): void {
  change(tx, {
    ...(data.nickname === undefined ? {} : { nickname: data.nickname }),
    ...(data.avatar === undefined ? {} : { avatar: data.avatar }),
    ...(data.discoverable === undefined ? {} : { discoverable: data.discoverable }),
  })
}

/** The newest two serve; older secrets are forgotten here. */
function introductionKeyDrawn({ data }: FactOf<'IntroductionKeyDrawn'>, tx: Tx): void {
  const known = tx.get(selfTable, ONLY_ROW)?.introductionKeys ?? []
  if (known.some((key) => equalBytes(key.public, data.public))) return
  change(tx, { introductionKeys: [...known, data].slice(-INTRODUCTION_KEYS) })
}

/** The first backup takes the recovery seed along: from then on its record is of no use here. */
function backupMade(_fact: FactOf<'BackupMade'>, tx: Tx): void {
  const { recovery } = stored(tx)
  if (recovery !== null) change(tx, { recovery: { ...recovery, backedUp: true } })
}

function contentForgotten({ data }: FactOf<'ContentForgotten'>, tx: Tx): void {
  const { recovery } = stored(tx)
  if (recovery !== null && data.seqs.includes(recovery.seq)) change(tx, { recovery: null })
}

/** Oneself: identity, card, secrets that are drawn anew, and what was said about being online. */
export const self = fold({
  name: 'self',
  number: PROJECTION.self,
  version: 3,
  on: {
    IdentityCreated: identityCreated,
    ProfileChanged: profileChanged,
    IntroductionKeyDrawn: introductionKeyDrawn,
    FriendSecretDrawn: ({ data }: FactOf<'FriendSecretDrawn'>, tx) =>
      change(tx, { friendSecret: data.secret }),
    OwnStatusChanged: ({ data }: FactOf<'OwnStatusChanged'>, tx) =>
      change(tx, { status: data.status, endpoints: data.endpoints }),
    LoggedIn: (_fact: FactOf<'LoggedIn'>, tx) => change(tx, { loggedOut: false }),
    LoggedOut: (_fact: FactOf<'LoggedOut'>, tx) => change(tx, { loggedOut: true }),
    RecoverySeedKept: ({ seq }: FactOf<'RecoverySeedKept'>, tx) =>
      change(tx, { recovery: { seq, backedUp: false } }),
    DeviceActivated: (fact: FactOf<'DeviceActivated'>, tx) => change(tx, activated(stored(tx), fact)),
    DeviceSuperseded: (fact: FactOf<'DeviceSuperseded'>, tx) => change(tx, superseded(stored(tx), fact)),
    DeviceConflict: (fact: FactOf<'DeviceConflict'>, tx) => change(tx, conflicted(stored(tx), fact)),
    BackupMade: backupMade,
    ContentForgotten: contentForgotten,
  },
})

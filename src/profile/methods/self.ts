import * as v from 'valibot'
import { toHex } from '../../foundation/bytes.js'
import { parseCertificate } from '../../keys/certificate.js'
import type { SelfRow } from '../../projections/view.js'
import { fingerprintOf, md5Of } from '../answers.js'
import { changeStatus } from '../decisions/change-status.js'
import { fact, selfOf } from '../decisions/context.js'
import { setProfile } from '../decisions/set-profile.js'
import { type SettingKey, SETTINGS, parseSetting, readSetting, settingKey } from '../settings.js'
import { Text, method } from './method.js'

const MAX_NICKNAME_INPUT = 256
const MAX_AVATAR_BASE64 = 16_384
const MAX_SETTING_CHARACTERS = 256
const RSA_BITS = 8192
const ANNOUNCE_TIMEOUT_MS = 10_000

export const whoami = method(v.object({}), ({ view }) => {
  const { id, nickname } = selfOf(view)
  return { id, nickname }
})

export const keysShow = method(v.object({}), ({ view }) => {
  const { id, spki, certificate } = selfOf(view)
  const { epoch, addressSignature } = parseCertificate(certificate)
  return {
    id,
    bits: RSA_BITS,
    fingerprint: fingerprintOf(spki),
    md5: md5Of(spki),
    epoch,
    signature: toHex(addressSignature),
    signedBy: id,
  }
})

const ProfileSet = v.object({
  nickname: v.optional(Text(MAX_NICKNAME_INPUT)),
  /** Base 64 of the picture; null takes it away. */
  avatar: v.optional(v.nullable(v.pipe(Text(MAX_AVATAR_BASE64), v.base64()))),
  discoverable: v.optional(v.boolean()),
})

export const profileSet = method(ProfileSet, async ({ host, view }, { nickname, avatar, discoverable }) => {
  const wanted = {
    ...(nickname === undefined ? {} : { nickname }),
    ...(avatar === undefined ? {} : { avatar: avatar === null ? null : Buffer.from(avatar, 'base64') }),
    ...(discoverable === undefined ? {} : { discoverable }),
  }
  await host.profile.change((deciding) => setProfile(deciding, wanted))
  return profileAnswer(selfOf(view))
})

export function profileAnswer({ id, nickname, avatar, discoverable }: SelfRow) {
  return { id, nickname, avatarMd5: avatar === null ? null : md5Of(avatar), discoverable }
}

/** Told to trackers and friends by the network; without one it is told when the profile goes online next. */
export const presenceSet = method(
  v.object({ status: v.picklist(['online', 'offline']) }),
  async ({ host, view }, { status }) => {
    await host.profile.change((deciding) => changeStatus(deciding, status))
    const net = await host.net()
    await net.command({ kind: 'announce' }, ANNOUNCE_TIMEOUT_MS).catch(() => undefined)
    return { status: selfOf(view).status }
  },
)

const Key = Text(MAX_SETTING_CHARACTERS)

export const settingsList = method(v.object({}), ({ view }) => {
  const keys = Object.keys(SETTINGS) as SettingKey[]
  return { settings: Object.fromEntries(keys.map((key) => [key, readSetting(view, key)])) }
})

export const settingsGet = method(v.object({ key: Key }), ({ view }, params) => {
  const key = settingKey(params.key)
  return { key, value: readSetting(view, key) }
})

export const settingsSet = method(v.object({ key: Key, value: Key }), async ({ host, view }, params) => {
  const key = settingKey(params.key)
  const value = parseSetting(key, params.value)
  await host.profile.change(() =>
    readSetting(view, key) === value ? [] : [fact('SettingChanged', { key, value })],
  )
  return { key, value: readSetting(view, key) }
})

/** The record of the recovery key's seed, if the next copy has to take it along (SPEC § 2.1): the first does. */
export const backupNext = method(v.object({}), ({ view }) => {
  const { recovery } = selfOf(view)
  return { recoveryAt: recovery === null || recovery.backedUp ? null : recovery.seq }
})

/** The first copy took the recovery seed along, so that it is erased here. */
export const backupMade = method(
  v.object({ epoch: v.pipe(v.number(), v.integer()) }),
  async ({ host }, { epoch }) => {
    await host.profile.append([fact('BackupMade', { form: 'file', epoch })])
    await host.forgetting.expire()
    await host.forgetting.erase()
    return {}
  },
)

export const loggedOut = method(v.object({}), async ({ host }) => {
  await host.profile.append([fact('LoggedOut', {})])
  return {}
})

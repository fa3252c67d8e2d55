import { SottoError } from '../foundation/errors.js'
import { splitEndpoint } from '../net/gate/address.js'
import type { View } from '../projections/view.js'

/** What a person may set, its value until then, and how text becomes a value (null: not a value of this setting). */
export const SETTINGS = {
  /** Seconds between two looks at who is online, while a foreground command is attached (PRE-4). 0 is never. */
  'refresh.interval': { initial: 60, parse: seconds },
  /** Where a daemon listens unless told: HOST:PORT (port 0 is any), or off. */
  listen: { initial: '0.0.0.0:0', parse: place },
  /** Whether the other side learns that a message was shown. */
  'receipts.read': { initial: true, parse: yesOrNo },
} as const

export type SettingKey = keyof typeof SETTINGS
type Widened<T> = T extends number ? number : T extends boolean ? boolean : T extends string ? string : T
export type SettingValue<K extends SettingKey> = Widened<(typeof SETTINGS)[K]['initial']>

const MAX_SECONDS = 86_400

/** @throws not-found for a key that is no setting */
export function settingKey(key: string): SettingKey {
  if (!Object.hasOwn(SETTINGS, key)) {
    throw new SottoError('not-found', `the settings are ${Object.keys(SETTINGS).join(', ')}`)
  }
  return key as SettingKey
}

export function readSetting<K extends SettingKey>(view: View, key: K): SettingValue<K> {
  const { initial } = SETTINGS[key]
  const stored = view.setting(key)
  return (typeof stored === typeof initial ? stored : initial) as SettingValue<K>
}

/** @throws usage for a value the setting cannot have */
export function parseSetting(key: SettingKey, text: string): string | number | boolean {
  const value = SETTINGS[key].parse(text)
  if (value === null) throw new SottoError('usage', `${key} cannot have that value`)
  return value
}

function seconds(text: string): number | null {
  const value = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN
  return value <= MAX_SECONDS ? value : null
}

function yesOrNo(text: string): boolean | null {
  if (['yes', 'on', 'true'].includes(text)) return true
  return ['no', 'off', 'false'].includes(text) ? false : null
}

function place(text: string): string | null {
  return text === 'off' || splitEndpoint(text) !== null ? text : null
}

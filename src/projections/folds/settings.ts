import type { FactData, FactOf } from '../../events/vocabulary/facts.js'
import { promised } from '../engine/damage.js'
import { fold, table } from '../engine/fold.js'
import type { Reads, Tx } from '../engine/fold.js'
import { addName, namesIn } from '../lists/name-list.js'
import type { NameList } from '../lists/name-list.js'
import { PROJECTION } from './numbers.js'

type Value = FactData['SettingChanged']['value']

const settingTable = table<{ readonly value: Value }>(PROJECTION.settings, 1)
const settingKeys: NameList = table(PROJECTION.settings, 2)

export function settingOf(reads: Reads, key: string): Value | undefined {
  return reads.get(settingTable, key)?.value
}

export function allSettings(reads: Reads): Readonly<Record<string, Value>> {
  const known = namesIn(reads, settingKeys)
  return Object.fromEntries(
    known.map((key) => [key, promised(reads.get(settingTable, key), 'a setting is missing').value]),
  )
}

/** The last value wins. */
function settingChanged({ data }: FactOf<'SettingChanged'>, tx: Tx): void {
  addName(tx, settingKeys, data.key)
  tx.put(settingTable, data.key, { value: data.value })
}

export const settings = fold({
  name: 'settings',
  number: PROJECTION.settings,
  version: 1,
  on: { SettingChanged: settingChanged },
})

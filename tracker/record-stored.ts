import type { NewRecord } from '../src/events/log/index.js'
import { concat, equalBytes } from '../src/foundation/bytes.js'
import { SottoError } from '../src/foundation/errors.js'
import { Reader } from '../src/foundation/reader.js'
import { recordKey } from '../src/net/tracker/blinding.js'
import { readPut, writePut } from '../src/net/tracker/operations.js'
import type { AcceptedRecord } from './record-table.js'

/** The one fact of a tracker's log (SPEC § 8.5): `bytes[16] key ‖ A_p ‖ period ‖ record`. */
const RECORD_STORED = 201
const VERSION = 1
const KEY_BYTES = 16

export function encodeRecordStored({ record, at }: AcceptedRecord): NewRecord {
  const body = concat(recordKey(record.blinded), writePut(record))
  return { type: RECORD_STORED, version: VERSION, at, body }
}

/** @throws unknown-event, log-corrupt */
export function decodeRecordStored({ type, version, at, body }: NewRecord): AcceptedRecord {
  if (type !== RECORD_STORED || version !== VERSION) throw new SottoError('unknown-event', `type ${type}`)
  const reader = new Reader(body)
  const key = reader.bytes(KEY_BYTES)
  const record = readPut(reader)
  reader.end()
  if (!equalBytes(key, recordKey(record.blinded))) throw new SottoError('log-corrupt', 'key of a record')
  return { record, at }
}

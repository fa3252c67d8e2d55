import { pack, unpack } from '../../foundation/pack.js'
import { damaged } from './damage.js'
import type { Form, Table } from './fold.js'
import { PackWriter } from './pack-writer.js'

const LENGTH_BYTES = 2
const writer = new PackWriter()

/** A row with its name, as it is sealed and digested: `u16 length ‖ name ‖ pack(row)`, the row in its form (SPEC § 5). */
export function encodeEntry({ form }: Table<unknown>, name: string, row: unknown): Buffer {
  if (form !== null) return encodeInForm(form, name, row)
  const packed = pack(row)
  const length = Buffer.byteLength(name)
  const out = Buffer.allocUnsafe(LENGTH_BYTES + length + packed.length)
  out.writeUInt16BE(length)
  out.write(name, LENGTH_BYTES)
  out.set(packed, LENGTH_BYTES + length)
  return out
}

function encodeInForm(form: Form<unknown>, name: string, row: unknown): Buffer {
  writer.begin(name)
  form.write(row, writer)
  return writer.end()
}

export function nameIn(entry: Buffer): string {
  return entry.toString('utf8', LENGTH_BYTES, rowStart(entry))
}

/** @throws projections-damaged when the entry is another row's, or none */
export function rowIn({ form }: Table<unknown>, entry: Buffer, name: string): unknown {
  if (nameIn(entry) !== name) throw damaged('a row stands in the wrong place')
  try {
    const stored = unpack(entry.subarray(rowStart(entry)))
    return form === null ? stored : form.read(stored, name)
  } catch (cause) {
    throw damaged('a row is not one', cause)
  }
}

function rowStart(entry: Buffer): number {
  if (entry.length < LENGTH_BYTES) throw damaged('a row is not one')
  return LENGTH_BYTES + entry.readUInt16BE()
}

import { SottoError } from './errors.js'

/** The bytes of ASCII or UTF-8 text. */
export function utf8(text: string): Uint8Array {
  return Buffer.from(text, 'utf8')
}

/** Big-endian integers, for hashing and framing (SPEC § 0). */
export function u8(value: number): Uint8Array {
  return Uint8Array.of(value)
}
export function u16(value: number): Uint8Array {
  const out = Buffer.allocUnsafe(2)
  out.writeUInt16BE(value)
  return out
}
export function u32(value: number): Uint8Array {
  const out = Buffer.allocUnsafe(4)
  out.writeUInt32BE(value)
  return out
}
export function u64(value: number): Uint8Array {
  const out = Buffer.allocUnsafe(8)
  out.writeBigUInt64BE(BigInt(value))
  return out
}

/** `u32 length ‖ bytes` (SPEC § 0). */
export function lp(bytes: Uint8Array): Uint8Array {
  return concat(u32(bytes.length), bytes)
}

export function concat(...parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat(parts)
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}

export function toHex(bytes: Uint8Array): string {
  const buffer =
    bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return buffer.toString('hex')
}

/** @throws malformed when the text is not an even number of hex digits */
export function fromHex(text: string): Uint8Array {
  if (!/^(?:[0-9a-fA-F]{2})*$/.test(text)) throw new SottoError('malformed', 'not hex')
  return Buffer.from(text, 'hex')
}

/** Overwrites secrets in place; what the garbage collector copied before is out of reach. */
export function wipe(...secrets: readonly Uint8Array[]): void {
  for (const secret of secrets) secret.fill(0)
}

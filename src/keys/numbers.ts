/** Big-endian bytes as an integer. */
export function toInteger(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}`)
}

/** An integer as `length` big-endian bytes; it must fit. */
export function toBytes(value: bigint, length: number): Buffer {
  return Buffer.from(value.toString(16).padStart(2 * length, '0'), 'hex')
}

export function gcd(a: bigint, b: bigint): bigint {
  while (b !== 0n) [a, b] = [b, a % b]
  return a
}

/** The inverse of `a` modulo `m` by the extended Euclidean algorithm; they must be coprime. Not constant-time. */
export function inverse(a: bigint, m: bigint): bigint {
  let [r, s] = [m, a % m]
  let [x, y] = [0n, 1n]
  while (s !== 0n) {
    const quotient = r / s
    ;[r, s] = [s, r - quotient * s]
    ;[x, y] = [y, x - quotient * y]
  }
  return x < 0n ? x + m : x
}

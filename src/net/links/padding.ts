/** Buckets of SPEC § 6.5: 256, 512, 1024, 2048, then multiples of 2048 bytes. */
const SMALL_BUCKETS = [256, 512, 1024] as const
const LARGE_BUCKET = 2048

export function bucketOf(length: number): number {
  return SMALL_BUCKETS.find((size) => length <= size) ?? Math.ceil(length / LARGE_BUCKET) * LARGE_BUCKET
}

/** The bytes followed by zeros up to their bucket. */
export function padded(bytes: Uint8Array): Buffer {
  const out = Buffer.alloc(bucketOf(bytes.length))
  out.set(bytes)
  return out
}

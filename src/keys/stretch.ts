import { scrypt } from 'node:crypto'
import { SottoError } from '../foundation/errors.js'
import { SCRYPT_P, SCRYPT_R } from './box-header.js'

const STRETCHED_BYTES = 32
/** scrypt's working memory is 128·N·r bytes; OpenSSL counts a little more. */
const BYTES_PER_N = 128 * SCRYPT_R
const SLACK_BYTES = 1 << 20

/**
 * scrypt (RFC 7914) of the passphrase in Unicode form NFKC, 32 bytes; in the thread pool. 1.3 s and 256 MiB at
 * logN 18.
 */
export function stretch(passphrase: string, salt: Uint8Array, logN: number): Promise<Buffer> {
  const N = 2 ** logN
  const options = { N, r: SCRYPT_R, p: SCRYPT_P, maxmem: N * BYTES_PER_N + SLACK_BYTES }
  return new Promise((resolve, reject) => {
    scrypt(passphrase.normalize('NFKC'), salt, STRETCHED_BYTES, options, (cause: unknown, key) => {
      if (!(cause instanceof Error)) resolve(key)
      else reject(new SottoError('internal', 'there is not enough memory to open a key file', { cause }))
    })
  })
}

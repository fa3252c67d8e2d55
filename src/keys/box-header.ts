import { concat, u8, utf8 } from '../foundation/bytes.js'
import { SottoError } from '../foundation/errors.js'
import { Reader } from '../foundation/reader.js'

export type PayloadType = 'backup' | 'login'

/** The fixed part of a sealed container (SPEC § 3), for a password alone. */
export interface BoxHeader {
  readonly type: PayloadType
  /** scrypt's N is 2 to this. */
  readonly logN: number
  readonly salt: Uint8Array
}

const MAGIC = utf8('SOTTOBOX')
const VERSION = 1
const TYPE_CODES: Readonly<Record<PayloadType, number>> = { backup: 1, login: 2 }
const POLICY_PASSWORD = 0
const KDF_SCRYPT = 1
export const SCRYPT_R = 8
export const SCRYPT_P = 1
export const SALT_BYTES = 16
const NO_SLOTS = 0
export const HEADER_BYTES = MAGIC.length + 7 + SALT_BYTES + 1

/** Work that is accepted: 128 MiB and half a second, to 1 GiB and seven. */
export const MIN_LOG_N = 17
export const MAX_LOG_N = 20

export function encodeHeader({ type, logN, salt }: BoxHeader): Buffer {
  const parameters = Uint8Array.of(
    VERSION,
    TYPE_CODES[type],
    POLICY_PASSWORD,
    KDF_SCRYPT,
    logN,
    SCRYPT_R,
    SCRYPT_P,
  )
  return concat(MAGIC, parameters, salt, u8(NO_SLOTS))
}

/** The header's fields as they stand, before it is known that they are undamaged. */
export interface RawHeader {
  readonly type: number
  readonly policy: number
  readonly logN: number
  readonly salt: Uint8Array
  readonly slots: number
}

/**
 * Format and bounds, in the order of SPEC § 3.
 * @param minLogN below MIN_LOG_N in tests only
 * @throws not-a-backup, backup-version, backup-parameters
 */
export function readHeader(reader: Reader, minLogN: number): RawHeader {
  if (!reader.bytes(MAGIC.length).equals(MAGIC)) throw new SottoError('not-a-backup')
  if (reader.u8() !== VERSION) throw new SottoError('backup-version')
  const [type, policy, kdf, logN, r, p] = [...reader.bytes(6)] as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const reasonable =
    kdf === KDF_SCRYPT && r === SCRYPT_R && p === SCRYPT_P && logN >= minLogN && logN <= MAX_LOG_N
  if (!reasonable) throw new SottoError('backup-parameters')
  return { type, policy, logN, salt: reader.bytes(SALT_BYTES), slots: reader.u8() }
}

/**
 * What the CRC has shown to be undamaged may still be of a kind that came later.
 * @throws backup-version
 */
export function understandHeader({ type, policy, logN, salt, slots }: RawHeader): BoxHeader {
  const known = (Object.keys(TYPE_CODES) as PayloadType[]).find((name) => TYPE_CODES[name] === type)
  if (known === undefined || policy !== POLICY_PASSWORD || slots !== NO_SLOTS)
    throw new SottoError('backup-version')
  return { type: known, logN, salt }
}

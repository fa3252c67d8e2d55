import { SottoError, isSottoError } from './errors.js'

/** Nothing more fits, for this user at least. */
const FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT'])
/** The system refuses; none of these says anything about the bytes that are on the disk. */
const REFUSED: ReadonlySet<string> = new Set([
  ...['EMFILE', 'ENFILE', 'ENOMEM', 'ENOBUFS', 'EAGAIN', 'EINTR', 'EBUSY', 'ERR_MEMORY_ALLOCATION_FAILED'],
  ...['EACCES', 'EPERM'],
  // A drive that was pulled out, a network drive that is away.
  ...[
    'ENODEV',
    'ENXIO',
    'ENOTCONN',
    'ESTALE',
    'ETIMEDOUT',
    'EHOSTDOWN',
    'EHOSTUNREACH',
    'ENETDOWN',
    'ENETUNREACH',
  ],
])

/** LevelDB passes on the C library's words and not the number. */
const WORDS: readonly (readonly [string, string])[] = [
  ['No space left on device', 'ENOSPC'],
  ['Disk quota exceeded', 'EDQUOT'],
  ['Too many open files', 'EMFILE'],
  ['Cannot allocate memory', 'ENOMEM'],
  ['Permission denied', 'EACCES'],
  ['Operation not permitted', 'EPERM'],
]

const MAX_CAUSES = 8

/**
 * What an error of the system comes to where it says nothing of what is on the disk: `disk-full`, or `log-unavailable`
 * with the system's code (EMFILE, EACCES …). Null for everything else: a disk that fails above all, and one that was made
 * read-only, which is what Linux does with one that fails.
 */
export function troubleOf(error: unknown): SottoError | null {
  const code = codeIn(error)
  if (code === null) return null
  return new SottoError(FULL.has(code) ? 'disk-full' : 'log-unavailable', code, { cause: error })
}

/** Nothing more fits: said by us, or by the system in whatever became of it. */
export function isDiskFull(error: unknown): boolean {
  return isSottoError(error, 'disk-full') || isSottoError(troubleOf(error), 'disk-full')
}

function codeIn(error: unknown): string | null {
  let each = error
  for (let depth = 0; depth < MAX_CAUSES && each instanceof Error; depth++, each = each.cause) {
    const code = 'code' in each ? String(each.code) : ''
    if (FULL.has(code) || REFUSED.has(code)) return code
    const { message } = each
    // Only level's: other messages may repeat anything, names of files above all.
    const said = code.startsWith('LEVEL_') ? WORDS.find(([words]) => message.endsWith(words)) : undefined
    if (said !== undefined) return said[1]
  }
  return null
}

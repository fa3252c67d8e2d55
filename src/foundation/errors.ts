/** What a failed command leaves behind as its exit code (docs/CLI.md). */
export const EXIT = {
  failed: 1,
  usage: 2,
  notFound: 3,
  locked: 4,
  untrusted: 5,
  network: 6,
  integrity: 7,
  serious: 8,
  interrupted: 130,
} as const

interface ErrorRow {
  readonly message: string
  readonly hint: string
  readonly exit: number
}

/** The one table of errors: a stable code, what happened, what to do next, and the exit code. */
const TABLE = {
  // usage and input
  usage: { message: 'the command was not understood', hint: 'run it with --help', exit: EXIT.usage },
  'unknown-command': { message: 'there is no such command', hint: 'run sotto help', exit: EXIT.usage },
  'missing-answer': {
    message: 'an answer is needed and there is no terminal to ask',
    hint: 'give it by a flag',
    exit: EXIT.usage,
  },
  'passphrase-file': {
    message: 'the passphrase file cannot be used',
    hint: 'check --passphrase-file, --new-passphrase-file and SOTTO_PASSPHRASE_FILE: a file that you can read, the passphrase in its first line',
    exit: EXIT.usage,
  },
  malformed: {
    message: 'the bytes are not in the expected form',
    hint: 'they were damaged or made by something else',
    exit: EXIT.failed,
  },
  'too-large': { message: 'that is larger than allowed', hint: 'send less at once', exit: EXIT.usage },
  'bad-id': {
    message: 'that is not a user id',
    hint: 'compare it with the original, block by block',
    exit: EXIT.usage,
  },
  'bad-endpoint': { message: 'that is not an address', hint: 'write HOST:PORT', exit: EXIT.usage },
  'bad-tracker-url': {
    message: 'that is not a tracker url',
    hint: 'copy the url that tracker run printed',
    exit: EXIT.usage,
  },
  'bad-receipt': {
    message: 'that is not a receipt',
    hint: 'give the whole text that log head printed, or a file that holds one',
    exit: EXIT.usage,
  },
  'bad-profile': {
    message: 'that nickname or picture cannot be used',
    hint: 'use up to 64 printable characters, and a PNG or JPEG of up to 8 KiB',
    exit: EXIT.usage,
  },
  // profile and login
  'no-profile': {
    message: 'there is no profile here',
    hint: 'run sotto init; with a copy of your key, sotto login --in FILE',
    exit: EXIT.notFound,
  },
  'profile-exists': {
    message: 'there is a profile here already',
    hint: 'choose another with --profile',
    exit: EXIT.failed,
  },
  'logged-out': { message: 'this profile is logged out', hint: 'run sotto login', exit: EXIT.locked },
  'profile-busy': {
    message: 'another process has this profile open',
    hint: 'use it through the daemon, or stop the other process',
    exit: EXIT.failed,
  },
  'not-a-backup': {
    message: 'this is not a sotto key file',
    hint: 'choose the file that backup create or init wrote',
    exit: EXIT.failed,
  },
  'backup-version': {
    message: 'this key file was made by a newer sotto',
    hint: 'upgrade sotto',
    exit: EXIT.failed,
  },
  'backup-damaged': { message: 'this key file is damaged', hint: 'use another copy', exit: EXIT.failed },
  'file-exists': {
    message: 'there is a file of that name already',
    hint: 'choose another name, or move it away; log export and device export replace it with --yes',
    exit: EXIT.failed,
  },
  'file-failed': {
    message: 'a file could not be read or written',
    hint: 'check its name, its permissions and the disk',
    exit: EXIT.failed,
  },
  'backup-parameters': {
    message: 'this key file asks for unreasonable work',
    hint: 'it was not made by sotto',
    exit: EXIT.failed,
  },
  'wrong-passphrase': { message: 'the key does not open', hint: 'check the passphrase', exit: EXIT.locked },
  'wrong-identity': {
    message: 'this key belongs to another identity than the profile',
    hint: 'choose another profile with --profile',
    exit: EXIT.untrusted,
  },
  'bad-key': {
    message: 'that is not an RSA key of 8192 bits with exponent 65537',
    hint: 'make one with openssl genrsa 8192',
    exit: EXIT.usage,
  },
  cancelled: { message: 'cancelled', hint: 'nothing was changed', exit: EXIT.interrupted },
  // another device
  superseded: {
    message: 'another device speaks for you now; this one sends nothing',
    hint: 'use the other device; to come back here, device export there and device import here, or sotto login if it is lost',
    exit: EXIT.failed,
  },
  'not-a-bundle': {
    message: 'this is not a sotto device bundle',
    hint: 'choose the file that device export wrote',
    exit: EXIT.failed,
  },
  'bundle-version': {
    message: 'this device bundle was made by a newer sotto',
    hint: 'upgrade sotto',
    exit: EXIT.failed,
  },
  'bundle-unopened': {
    message: 'this device bundle is of another identity, or damaged',
    hint: 'log in with the key of the device that made it, or export it again',
    exit: EXIT.untrusted,
  },
  'bundle-damaged': {
    message: 'this device bundle is damaged',
    hint: 'nothing was changed; export it again',
    exit: EXIT.integrity,
  },
  'device-ahead': {
    message: 'this device knows more than the bundle',
    hint: 'nothing was changed; export on this device instead',
    exit: EXIT.failed,
  },
  'device-conflict': {
    message: 'this device has a history of its own that the bundle does not know',
    hint: 'nothing was changed; to have both, log in with another --profile and import there',
    exit: EXIT.failed,
  },
  // log
  'log-corrupt': {
    message: 'the log is damaged',
    hint: 'run sotto log audit, and keep a copy before you do anything else',
    exit: EXIT.integrity,
  },
  'log-failed': {
    message: 'the log could not be written',
    hint: 'check the disk; nothing more is accepted until it is opened again',
    exit: EXIT.integrity,
  },
  'log-unavailable': {
    message: 'the system does not let the log be used',
    hint: 'this is no damage: check permissions, free memory, how many files may be open (ulimit -n), and the drive',
    exit: EXIT.failed,
  },
  'disk-full': {
    message: 'the disk is full',
    hint: 'nothing is lost, but nothing can be written: make room, then try again',
    exit: EXIT.integrity,
  },
  'log-busy': {
    message: 'another process is writing this log',
    hint: 'stop it, or use the daemon',
    exit: EXIT.failed,
  },
  'log-missing': { message: 'there is no log here', hint: 'run sotto init', exit: EXIT.notFound },
  'log-unopened': {
    message: 'the log does not open with this key',
    hint: 'check the profile and its key; if they are the right ones, run sotto log audit',
    exit: EXIT.locked,
  },
  'log-closed': { message: 'the log is closed', hint: 'open it again', exit: EXIT.failed },
  'unknown-event': {
    message: 'the log holds an event this version does not know',
    hint: 'upgrade sotto',
    exit: EXIT.integrity,
  },
  'projections-damaged': {
    message: 'what is shown was damaged on disk and is being built again from the log',
    hint: 'try again in a moment; the log keeps everything',
    exit: EXIT.failed,
  },
  // people
  'not-found': {
    message: 'nothing here goes by that',
    hint: 'check what was typed; sotto friend list has the people, sotto chat read WHO --ids the ids of messages',
    exit: EXIT.notFound,
  },
  ambiguous: { message: 'that could mean several people', hint: 'give the id', exit: EXIT.usage },
  'not-a-friend': {
    message: 'that person is not a friend yet',
    hint: 'see sotto friend requests',
    exit: EXIT.failed,
  },
  blocked: { message: 'that person is blocked', hint: 'run sotto friend unblock', exit: EXIT.failed },
  'already-friend': {
    message: 'that person is a friend already',
    hint: 'run sotto chat send',
    exit: EXIT.failed,
  },
  'that-is-you': { message: 'that is your own id', hint: 'give the id of another person', exit: EXIT.usage },
  'untrusted-key': {
    message: 'the key presented is not the one on record',
    hint: 'verify with the person by another way',
    exit: EXIT.untrusted,
  },
  // network
  'no-tracker': { message: 'no tracker is known', hint: 'run sotto tracker add URL', exit: EXIT.network },
  'tracker-unreachable': {
    message: 'no tracker answered',
    hint: 'check the connection, and sotto tracker list',
    exit: EXIT.network,
  },
  unreachable: {
    message: 'the other side could not be reached',
    hint: 'try again later; what was queued stays queued',
    exit: EXIT.network,
  },
  'connection-lost': {
    message: 'the connection was lost',
    hint: 'nothing is half done; try again',
    exit: EXIT.network,
  },
  'device-refused': {
    message: 'the other device gave up',
    hint: 'see what it says there; nothing is half done',
    exit: EXIT.failed,
  },
  'wrong-device': {
    message: 'there is a web site at that address, and no device of yours',
    hint: 'run sotto device receive there, logged in with the same key; both clocks must be right',
    exit: EXIT.network,
  },
  'not-delivered': {
    message: 'not delivered in the time given',
    hint: 'it stays queued and is sent when the other side appears',
    exit: EXIT.network,
  },
  'gate-denied': { message: 'the gate does not let that out', hint: 'see sotto status', exit: EXIT.network },
  'cannot-listen': {
    message: 'cannot listen there',
    hint: 'choose another address with --listen',
    exit: EXIT.network,
  },
  'no-daemon': {
    message: 'no daemon runs for this profile',
    hint: 'see sotto daemon logs, or run sotto daemon start',
    exit: EXIT.notFound,
  },
  'daemon-runs': {
    message: 'a daemon runs for this profile already',
    hint: 'run sotto daemon stop first, or see sotto daemon status',
    exit: EXIT.failed,
  },
  'no-dongle-library': {
    message: 'this machine cannot talk to dongles',
    hint: 'install libusb 1.0 (on Debian: apt install libusb-1.0-0)',
    exit: EXIT.failed,
  },
  serious: {
    message: 'Serious connection error',
    hint: 'the message could not be opened several times; verify with the person by another way',
    exit: EXIT.serious,
  },
  internal: {
    message: 'something went wrong inside',
    hint: 'please report it with the code',
    exit: EXIT.failed,
  },
} as const satisfies Record<string, ErrorRow>

export type ErrorCode = keyof typeof TABLE

/** Every error that leaves a room: `code` is stable, `hint` names the next step, `detail` says which or where. */
export class SottoError extends Error {
  readonly code: ErrorCode
  readonly hint: string
  readonly exitCode: number

  constructor(code: ErrorCode, detail?: string, options?: ErrorOptions) {
    const row = TABLE[code]
    super(detail === undefined ? row.message : `${row.message}: ${detail}`, options)
    this.name = 'SottoError'
    this.code = code
    this.hint = row.hint
    this.exitCode = row.exit
  }
}

/** True for the errors of the table, optionally for one code. */
export function isSottoError(error: unknown, code?: ErrorCode): error is SottoError {
  return error instanceof SottoError && (code === undefined || error.code === code)
}

/** A code that came over the local socket back into an error of the table. */
export function errorFromCode(code: string, message: string): SottoError {
  if (!Object.hasOwn(TABLE, code)) return new SottoError('internal', message)
  const known = code as ErrorCode
  const prefix = `${TABLE[known].message}: `
  return new SottoError(known, message.startsWith(prefix) ? message.slice(prefix.length) : undefined)
}

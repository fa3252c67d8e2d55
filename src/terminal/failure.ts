import { Errors } from '@oclif/core'
import { CHILD_VARIABLE } from '../profile/child-variable.js'
import { EXIT, SottoError, isSottoError } from '../foundation/errors.js'
import { safeJson } from './safe-json.js'

/** What a failed command prints and leaves behind; nothing in it comes from the command line. */
export interface Failure {
  readonly code: string
  readonly message: string
  readonly hint: string
  readonly exit: number
}

/** Every error of every kind as one of the table (src/foundation/errors.ts). */
export function failureOf(error: unknown): Failure {
  const known = isSottoError(error) ? error : translate(error)
  return { code: known.code, message: messageOf(known), hint: known.hint, exit: known.exitCode }
}

/** Errors of files say which; that was typed, and what was typed is not repeated. */
function messageOf({ code, message }: SottoError): string {
  return NAMES_A_FILE.has(code) ? message.split(': ', 1).join() : message
}

const NAMES_A_FILE: ReadonlySet<string> = new Set(['file-exists', 'file-failed'])

function translate(error: unknown): SottoError {
  if (isPromptClosed(error)) return new SottoError('cancelled')
  if (error instanceof Errors.CLIError) return usageError(error)
  if (isSystemError(error)) return new SottoError('internal', `${error.syscall ?? 'system'} ${error.code}`)
  return new SottoError('internal', error instanceof Error ? error.name : undefined)
}

/** oclif's messages repeat what was typed, which may be a secret; its class tells enough. */
function usageError(error: Errors.CLIError): SottoError {
  const exit = error.oclif.exit
  if (exit !== undefined && exit !== EXIT.usage) return new SottoError('internal', error.name)
  return new SottoError('usage', DETAILS[error.constructor.name])
}

const DETAILS: Readonly<Record<string, string>> = {
  CLIError: 'a flag has no value, or one that is not possible',
  RequiredArgsError: 'an argument is missing',
  UnexpectedArgsError: 'there are too many arguments',
  NonExistentFlagsError: 'there is no such flag here',
  FlagInvalidOptionError: 'a flag has a value that is not one of its choices',
  ArgInvalidOptionError: 'an argument is not one of its choices',
  FailedFlagValidationError: 'a flag is missing, or does not go with the others',
}

function isPromptClosed(error: unknown): boolean {
  return error instanceof Error && ['ExitPromptError', 'AbortPromptError'].includes(error.name)
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException & { code: string } {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).code === 'string'
}

/** On stdout as one JSON object with `--json`, else two lines on stderr. Sets the exit code. */
export function printFailure(error: unknown, json: boolean): void {
  const { exit, ...failure } = failureOf(error)
  process.exitCode = exit
  // The stderr of a daemon in the background is a file in the clear (SPEC § 1); who started it is told in full.
  if (process.env[CHILD_VARIABLE] === '1') process.stderr.write(`${failure.code}\n`)
  else if (json) process.stdout.write(`${safeJson({ error: failure })}\n`)
  else process.stderr.write(`sotto: ${failure.message} (${failure.code})\n  ${failure.hint}\n`)
  if (process.env['SOTTO_DEBUG'] !== undefined && error instanceof Error) {
    process.stderr.write(`${error.stack ?? ''}\n`)
  }
}

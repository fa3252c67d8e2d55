import { Config, Errors, flush, run, settings } from '@oclif/core'
import { fileURLToPath } from 'node:url'
import { printFailure } from './failure.js'

/**
 * Runs one command line. What oclif's own `execute` does, but every error, usage errors and unknown commands
 * included, ends in `printFailure`, so that scripts see one shape and nothing of argv.
 */
export async function main(from: string, options: { development?: boolean } = {}): Promise<void> {
  if (options.development === true) {
    process.env['NODE_ENV'] = 'development'
    settings.debug = true
  }
  const argv = process.argv.slice(2)
  try {
    const config = await Config.load({ root: fileURLToPath(new URL('..', from)) })
    await run(argv, config)
  } catch (error) {
    if (isQuietExit(error)) process.exitCode = error.oclif.exit ?? 0
    else printFailure(error, wantsJson(argv))
  }
  flush()
}

/** `--json` before a lone `--`; also what oclif looks at. */
export function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--')
  const at = argv.indexOf('--json')
  return at !== -1 && (end === -1 || at < end)
}

function isQuietExit(error: unknown): error is Errors.ExitError {
  return error instanceof Errors.ExitError
}

import { Config, Errors, type Interfaces, flush, run } from '@oclif/core'
import { fileURLToPath } from 'node:url'
import { SottoError } from '../foundation/errors.js'
import { printFailure } from './failure.js'

/**
 * Runs one command line. What oclif's own `execute` does, but every error, usage errors and unknown commands
 * included, ends in `printFailure`, so that scripts see one shape and nothing of argv.
 * @param from the URL of the calling file in bin/
 * @param options oclif's, over what package.json says
 */
export async function main(from: string, options: Omit<Interfaces.Options, 'root'> = {}): Promise<void> {
  const argv = process.argv.slice(2)
  // A crash must not print what was being worked on, least of all into a daemon's log.
  process.once('uncaughtException', (error) => {
    printFailure(error, wantsJson(argv))
    process.exit()
  })
  try {
    const config = await Config.load({ ...options, root: fileURLToPath(new URL('..', from)) })
    if (wantsJson(argv)) refuseLoneTopic(config, argv)
    await run(argv, config)
  } catch (error) {
    if (isQuietExit(error)) process.exitCode = error.oclif.exit ?? 0
    else printFailure(error, wantsJson(argv))
  }
  await flush()
}

/** `--json` before a lone `--`; also what oclif looks at. */
export function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--')
  const at = argv.indexOf('--json')
  return at !== -1 && (end === -1 || at < end)
}

/** oclif answers a topic without its verb with a page of help, which is no answer for a script. */
function refuseLoneTopic(config: Config, argv: readonly string[]): void {
  const words = argv.filter((word) => !word.startsWith('-')).join(':')
  const isHelp = argv.includes('--help') || config.findCommand(words) !== undefined
  if (!isHelp && config.findTopic(words) !== undefined) throw new SottoError('unknown-command')
}

function isQuietExit(error: unknown): error is Errors.ExitError {
  return error instanceof Errors.ExitError
}

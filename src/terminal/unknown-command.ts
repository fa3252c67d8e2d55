import type { Hook } from '@oclif/core'
import { SottoError } from '../foundation/errors.js'

/** oclif's hook for a command that does not exist. It throws; what was typed is not repeated. */
const unknownCommand: Hook<'command_not_found'> = () => {
  throw new SottoError('unknown-command')
}

export default unknownCommand

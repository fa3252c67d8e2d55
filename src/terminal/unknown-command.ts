import type { Hook, Interfaces } from '@oclif/core'
import { SottoError } from '../foundation/errors.js'

/**
 * oclif's hook for a command that does not exist. It throws; what was typed is not repeated. To oclif the arguments of a
 * command that takes none are part of its name: that there are some is told by the command's own name.
 */
const unknownCommand: Hook<'command_not_found'> = ({ config, id }) => {
  const command = commandBefore(config, id)
  if (command === null) throw new SottoError('unknown-command')
  throw new SottoError('usage', `${command.replaceAll(':', ' ')} takes no arguments`)
}

function commandBefore(config: Interfaces.Config, id: string): string | null {
  const words = id.split(':')
  for (let count = words.length - 1; count > 0; count--) {
    const beginning = words.slice(0, count).join(':')
    if (config.findCommand(beginning) !== undefined) return beginning
  }
  return null
}

export default unknownCommand

import { Flags } from '@oclif/core'
import { SottoCommand } from '../terminal/command.js'

export default class Logout extends SottoCommand<typeof Logout> {
  static override summary = 'stop the daemon and delete the login file; the log stays'
  static override description =
    'Getting back in needs a copy of the key (backup create), or nothing opens the log again. Asked at a terminal.'
  static override flags = { yes: Flags.boolean({ description: 'do not ask' }) }

  async run() {
    const { logout } = await import('../profile/logout.js')
    const paths = await this.paths()
    const { mustBeReady } = await import('../profile/lodging.js')
    mustBeReady(paths)
    // The contract gives scripts `logout` without a flag: they are not stopped by a question, but told what it means.
    const quiet = this.flags.yes || !this.asking.interactive
    await this.sure(quiet, 'have you a copy of the key? without one the log never opens again. log out?')
    await logout(paths)
    this.logToStderr('only a copy of the key opens this profile again: sotto login --in FILE')
    this.log('logged out')
    return {}
  }
}

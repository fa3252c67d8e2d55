import { Args, Flags } from '@oclif/core'
import { SottoCommand } from '../../terminal/command.js'
import { Progress } from '../../terminal/progress.js'

const MS = 1000

export default class DeviceSend extends SottoCommand<typeof DeviceSend> {
  static override summary = 'send the whole log to another device of yours that waits for it'
  static override description =
    'The other device is logged in with the same key and runs sotto device receive. A daemon that runs here is stopped once the other device is reached: from then on the other one is you.'
  static override args = {
    to: Args.string({ description: 'HOST:PORT where the other device listens', required: true }),
  }
  static override flags = {
    timeout: Flags.integer({ description: 'seconds to reach the other device', default: 30, min: 1 }),
  }

  async run() {
    const { send } = await import('../../profile/device/send.js')
    const progress = new Progress('reading the log')
    const daemon = { stopped: false }
    try {
      const answer = await send({
        paths: await this.paths(),
        to: this.args.to,
        timeoutMs: this.flags.timeout * MS,
        signal: this.signal,
        passphrase: () => this.passphrase(),
        onReached: () => this.say('the other device is there'),
        onDaemonStopped: () => {
          daemon.stopped = true
          this.say('the daemon of this device was stopped')
        },
        onProgress: ({ done, total }) => progress.update(total === 0 ? null : done / total),
      }).finally(() => progress.end())
      this.log(`sent: event ${answer.seq}, link ${answer.link}`)
      this.log(`state ${answer.hash}`)
      this.say('use the other device from now on, not this one')
      return answer
    } catch (error) {
      if (daemon.stopped) this.say('see whether the other device has it; if not: sotto daemon start')
      throw error
    }
  }
}

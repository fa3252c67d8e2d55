import { Flags } from '@oclif/core'
import { SottoCommand } from '../../terminal/command.js'
import { Progress } from '../../terminal/progress.js'

const MS = 1000

export default class DeviceReceive extends SottoCommand<typeof DeviceReceive> {
  static override summary = 'wait for another device of yours to send its log, and take it over'
  static override description =
    'Prints where it listens, then waits for sotto device send. Anyone without your key finds a small web site there. The log takes the place of this device’s own, as with device import.'
  static override examples = ['<%= config.bin %> device receive --listen 0.0.0.0:8080']
  static override flags = {
    listen: Flags.string({ description: 'HOST:PORT to be reached at', default: '0.0.0.0:0' }),
    timeout: Flags.integer({ description: 'seconds to wait for the other device', default: 600, min: 1 }),
  }

  async run() {
    const { listen, timeout } = this.flags
    const { receive } = await import('../../profile/device/receive.js')
    const progress = new Progress('reading the log')
    const answer = await receive({
      paths: await this.paths(),
      listen,
      timeoutMs: timeout * MS,
      signal: this.signal,
      passphrase: () => this.passphrase(),
      onListening: (listening) => this.#tell(listening),
      onCaller: () => this.say('the other device is on the line'),
      onProgress: ({ done, total }) => progress.update(total === 0 ? null : done / total),
    }).finally(() => progress.end())
    this.log(`event ${answer.seq}, link ${answer.link}`)
    this.log(`state ${answer.hash}`)
    this.say('this device speaks for you from when it first goes on the network: sotto daemon start')
    return answer
  }

  /** As soon as it listens: the other device needs to know. */
  #tell(listening: string): void {
    const line = this.jsonEnabled() ? JSON.stringify({ listening }) : `listening on ${listening}`
    process.stdout.write(`${line}\n`)
    this.say('run sotto device send with this address on the other device')
  }
}

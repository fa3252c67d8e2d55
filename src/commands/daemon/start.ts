import { Flags } from '@oclif/core'
import { SottoCommand } from '../../terminal/command.js'
import { allowGrace } from '../../terminal/interrupt.js'
import { Progress } from '../../terminal/progress.js'

/** Everyone connected is told before it ends. */
const GRACE_MS = 10_000

export default class DaemonStart extends SottoCommand<typeof DaemonStart> {
  static override summary = 'stay on the network: receive, deliver what is kept, answer commands'
  static override description =
    'Prints where it listens and its process id, and stays in the foreground until interrupted; --detach puts it in the background.'
  static override examples = [
    '<%= config.bin %> daemon start --listen 0.0.0.0:8080',
    '<%= config.bin %> daemon start --detach',
  ]
  static override flags = {
    listen: Flags.string({
      description: 'HOST:PORT to be reached at (else the setting listen); off: nowhere',
    }),
    detach: Flags.boolean({ description: 'go to the background; talk goes to daemon.log' }),
  }

  async run() {
    const { mustBeReady } = await import('../../profile/lodging.js')
    const { mustNotRun } = await import('../../profile/daemon-process.js')
    const paths = await this.paths()
    mustBeReady(paths)
    await mustNotRun(paths)
    return this.flags.detach ? this.#detach() : this.#stay()
  }

  async #detach() {
    const { spawnDaemon } = await import('../../profile/daemon-process.js')
    const argv = ['daemon', 'start', '--profile', this.flags.profile]
    if (this.flags.listen !== undefined) argv.push('--listen', this.flags.listen)
    const paths = await this.paths()
    const answer = await spawnDaemon({
      paths,
      script: process.argv[1] ?? '',
      argv,
      passphrase: await this.passphrase(),
    })
    this.log(`listening on ${answer.listening ?? 'nothing'}, pid ${answer.pid}`)
    return answer
  }

  /** Prints as soon as it listens, not at its end. */
  async #stay(): Promise<undefined> {
    const { passphraseFromParent, tellParent } = await import('../../profile/daemon-process.js')
    allowGrace(GRACE_MS)
    try {
      const daemon = await this.#start((await passphraseFromParent()) ?? (() => this.passphrase()))
      const { listening, pid } = daemon
      const line = this.jsonEnabled()
        ? JSON.stringify({ listening, pid })
        : `listening on ${listening ?? 'nothing'}, pid ${pid}`
      process.stdout.write(`${line}\n`)
      tellParent({ listening, pid })
      this.say('ready')
      await daemon.ended
      this.say('ended')
    } catch (error) {
      tellParent(error)
      throw error
    }
  }

  async #start(passphrase: () => Promise<string>) {
    const { openKeyFile } = await import('../../profile/unlock.js')
    const { startDaemon } = await import('../../profile/daemon.js')
    const paths = await this.paths()
    const identity = await openKeyFile(paths.login, passphrase)
    const progress = new Progress('reading the log')
    return startDaemon({
      paths,
      identity,
      listen: this.flags.listen ?? null,
      refresh: process.stdout.isTTY,
      signal: this.signal,
      onProgress: ({ done, total }) => progress.update(total === 0 ? null : done / total),
    }).finally(() => progress.end())
  }
}

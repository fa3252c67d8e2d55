import { Flags } from '@oclif/core'
import { join } from 'node:path'
import { SottoError } from '../../foundation/errors.js'
import { SottoCommand } from '../../terminal/command.js'

/** The unspecified address, IPv4 or IPv6: listened on, but no place to send to. */
const ANYWHERE = /\/\/(?:0\.0\.0\.0|\[::\]):/

export default class TrackerRun extends SottoCommand<typeof TrackerRun> {
  static override summary = 'run a tracker; its url, with the pinned key, is what people add'
  static override description = 'Stays in the foreground until interrupted. Needs no profile.'
  static override flags = {
    listen: Flags.string({ description: 'HOST:PORT, UDP', default: '0.0.0.0:6969' }),
    'public-host': Flags.string({
      description: 'the host that people reach it by, for the url (else the one it listens on)',
    }),
    data: Flags.string({
      description: 'directory of its key and its log (else tracker in the data directory)',
    }),
    engine: Flags.string({ description: 'where records are kept', default: 'embedded' }),
  }

  async run(): Promise<undefined> {
    if (this.flags.engine !== 'embedded')
      throw new SottoError('usage', 'this version has the embedded engine only')
    const { runTracker } = await import('../../../tracker/server.js')
    const data = this.flags.data ?? join(this.config.dataDir, 'tracker')
    const publicHost = this.flags['public-host']
    const tracker = await runTracker({ listen: this.flags.listen, data, ...(publicHost && { publicHost }) })
    const { listening, url } = tracker
    if (ANYWHERE.test(url))
      this.logToStderr(
        'nobody can reach that host: run it with --public-host NAME-OR-ADDRESS for a url to give away',
      )
    process.stdout.write(
      this.jsonEnabled() ? `${JSON.stringify({ listening, url })}\n` : `listening on ${listening}\n${url}\n`,
    )
    this.signal.addEventListener('abort', () => void tracker.close(), { once: true })
    const failure = await tracker.ended
    if (failure !== null) throw failure
  }
}

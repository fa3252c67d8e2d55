import { Flags } from '@oclif/core'
import { SottoError } from '../../foundation/errors.js'
import { SottoCommand } from '../../terminal/command.js'
import { parseSince } from '../../terminal/since.js'

export default class LogExport extends SottoCommand<typeof LogExport> {
  static override summary = 'write what happened so that anyone can verify it: log audit --in'
  static override description =
    'One JSON object a line. What is not selected, and whatever holds keys, tokens or secrets, is there as a commitment ' +
    'alone: its time and kind can be seen, its content can not be guessed. It is signed, and not deniable.'
  static override flags = {
    out: Flags.string({ description: 'file to write, for you alone; else stdout' }),
    from: Flags.string({ description: 'select from then on: milliseconds since 1970, or a date' }),
    to: Flags.string({ description: 'select up to then' }),
    with: Flags.string({ description: 'select what concerns this person: id, its beginning, or nickname' }),
    yes: Flags.boolean({ description: 'replace the file if it is there' }),
  }

  async run() {
    const { from, to, with: who, out } = this.flags
    const selection = {
      ...(from === undefined ? {} : { from: parseSince(from) }),
      ...(to === undefined ? {} : { to: parseSince(to) }),
      ...(who === undefined ? {} : { with: who }),
    }
    if ((selection.from ?? 0) > (selection.to ?? Infinity))
      throw new SottoError('usage', '--from is later than --to')
    const { exportToFile, exportedBytes } = await import('../../profile/export-log.js')
    const request = { access: await this.access(), selection, signal: this.signal }
    if (out !== undefined) {
      await exportToFile(request, out, this.flags.yes)
      this.log(`wrote ${out}`)
      return { file: out }
    }
    // A reader that goes away fails the write that it did not take.
    process.stdout.on('error', () => undefined)
    for await (const piece of exportedBytes(request)) await written(piece)
    return undefined
  }
}

/** Waits until the other end of a pipe has taken it. @throws file-failed when it has gone */
function written(piece: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(piece, (cause) => {
      if (cause == null) resolve()
      else reject(new SottoError('file-failed', 'stdout', { cause }))
    })
  })
}

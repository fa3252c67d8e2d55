import { Flags } from '@oclif/core'
import { EXIT } from '../../foundation/errors.js'
import { SottoCommand } from '../../terminal/command.js'
import { Progress } from '../../terminal/progress.js'
import { RECEIPT_PROBLEMS } from '../../terminal/say-problem.js'
import { columns } from '../../terminal/table.js'

export default class LogAudit extends SottoCommand<typeof LogAudit> {
  static override summary = 'prove that the log is whole: every link, every seal, and what is shown of it'
  static override description =
    'Needs no network, changes nothing, and works on a damaged log. With --in it verifies a file that log export wrote, ' +
    'on any machine. Exit code 7 on a problem.'
  static override flags = {
    since: Flags.string({
      description: 'a receipt of log head, or a file that holds one; it must still hold',
    }),
    in: Flags.string({ description: 'verify this export instead; needs no profile and no passphrase' }),
  }

  async run() {
    const answer = await (this.flags.in === undefined ? this.#ofProfile() : this.#ofExport(this.flags.in))
    const rows = answer.problems.map(({ segment, offset, code, detail }) => [
      `segment ${segment}`,
      `offset ${offset}`,
      code,
      detail ?? RECEIPT_PROBLEMS[code] ?? '',
    ])
    if (rows.length > 0) this.log(columns(rows))
    if (!answer.ok) process.exitCode = EXIT.integrity
    return answer
  }

  async #ofProfile() {
    const { audit } = await import('../../profile/audit.js')
    const progress = new Progress('replaying the log')
    const answer = await audit({
      paths: await this.paths(),
      passphrase: () => this.passphrase(),
      since: await this.#since(),
      onProgress: ({ done, total }) => progress.update(total === 0 ? null : done / total),
    })
    progress.end()
    const { events, seq, link, pending, compared } = answer
    this.log(`${events} events, ${this.#verdict(answer)}; up to ${seq} without a gap, link ${link}`)
    if (compared === null) this.say('what is shown was not compared with the log')
    if (pending > 0)
      this.say(`forgotten records that are still on the disk, and are being erased: ${pending}`)
    return answer
  }

  /** What a receipt says is not damage: a log can be whole, and another one than it was. */
  #verdict({ ok, problems }: { ok: boolean; problems: readonly { code: string }[] }): string {
    const since = this.flags.since !== undefined
    if (ok) return since ? 'whole, and the receipt holds' : 'whole'
    const whole = problems.every(({ code }) => code in RECEIPT_PROBLEMS)
    return whole ? 'whole, but the receipt DOES NOT HOLD' : 'DAMAGED'
  }

  async #ofExport(file: string) {
    const { auditExport } = await import('../../profile/audit-export.js')
    const answer = await auditExport(file, await this.#since())
    const { owner, events, disclosed, from, seq } = answer
    this.log(`the log of ${owner ?? 'nobody can tell'}, after ${from} up to ${seq}`)
    this.log(`${events} events, ${disclosed} of them disclosed, ${this.#genuineness(answer)}`)
    return answer
  }

  /** What a receipt from elsewhere says is nothing against the file. */
  #genuineness({ ok, genuine }: { ok: boolean; genuine: boolean }): string {
    if (!genuine) return 'NOT GENUINE'
    if (!ok) return 'genuine, but the receipt DOES NOT HOLD'
    return this.flags.since === undefined ? 'genuine' : 'genuine, and the receipt holds'
  }

  async #since(): Promise<string | undefined> {
    const { keptReceipt } = await import('../../profile/kept-receipt.js')
    return this.flags.since === undefined ? undefined : keptReceipt(this.flags.since)
  }
}

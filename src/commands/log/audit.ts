import { EXIT } from '../../foundation/errors.js'
import { SottoCommand } from '../../terminal/command.js'
import { columns } from '../../terminal/table.js'

export default class LogAudit extends SottoCommand<typeof LogAudit> {
  static override summary = 'walk the chain of the log from its beginning'
  static override description = 'Needs no network, and works on a damaged log. Exit code 7 on a problem.'

  async run() {
    const { audit } = await import('../../profile/audit.js')
    const answer = await audit(await this.paths(), () => this.passphrase())
    this.log(`${answer.events} events, ${answer.ok ? 'whole' : 'DAMAGED'}, link ${answer.link}`)
    const rows = answer.problems.map(({ segment, offset, code }) => [
      `segment ${segment}`,
      `offset ${offset}`,
      code,
    ])
    if (rows.length > 0) this.log(columns(rows))
    if (!answer.ok) process.exitCode = EXIT.integrity
    return answer
  }
}

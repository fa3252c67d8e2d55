import { SottoCommand } from '../../terminal/command.js'
import { columns } from '../../terminal/table.js'

export default class DongleList extends SottoCommand<typeof DongleList> {
  static override summary = 'YubiKeys that are plugged in'

  async run() {
    const { listDongles } = await import('../../profile/dongles.js')
    const dongles = await listDongles()
    this.log(
      dongles.length === 0
        ? 'no dongle is plugged in'
        : columns(dongles.map((d) => [d.kind, d.serial ?? ''])),
    )
    return { dongles }
  }
}

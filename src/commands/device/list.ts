import { SottoCommand } from '../../terminal/command.js'
import { sayTime } from '../../terminal/say-time.js'
import { columns } from '../../terminal/table.js'

export default class DeviceList extends SottoCommand<typeof DeviceList> {
  static override summary = 'the devices that spoke for you, as the log of this one knows them'

  async run() {
    const answer = await this.call('device.list', {})
    const rows = answer.devices.map((device) => [
      device.device,
      `epoch ${device.epoch}`,
      sayTime(device.activatedAt),
      [device.active ? 'active' : '', device.this ? 'this one' : ''].filter((word) => word !== '').join(', '),
    ])
    this.log(rows.length === 0 ? 'none has been on the network yet' : columns(rows))
    return answer
  }
}

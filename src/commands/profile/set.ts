import { Flags } from '@oclif/core'
import { SottoCommand } from '../../terminal/command.js'

export default class ProfileSet extends SottoCommand<typeof ProfileSet> {
  static override summary = 'change nickname, picture or whether strangers who look up the id see them'
  static override flags = {
    nickname: Flags.string({ description: 'what others see, up to 64 characters' }),
    avatar: Flags.string({ description: 'PNG or JPEG of up to 8 KiB', exclusive: ['remove-avatar'] }),
    'remove-avatar': Flags.boolean({ description: 'no picture any more' }),
    discoverable: Flags.string({ description: 'yes or no', options: ['yes', 'no'] }),
  }

  async run() {
    const { readAvatar } = await import('../../profile/avatar.js')
    const { nickname, avatar: file, discoverable } = this.flags
    const avatar = file === undefined ? null : Buffer.from(await readAvatar(file)).toString('base64')
    const answer = await this.call('profile.set', {
      ...(nickname === undefined ? {} : { nickname }),
      ...(avatar !== null || this.flags['remove-avatar'] ? { avatar } : {}),
      ...(discoverable === undefined ? {} : { discoverable: discoverable === 'yes' }),
    })
    this.log(`you are ${answer.nickname}`)
    return answer
  }
}

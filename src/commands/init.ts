import { Flags } from '@oclif/core'
import { askSecret } from '../terminal/ask.js'
import { SottoCommand } from '../terminal/command.js'
import { Progress } from '../terminal/progress.js'

export default class Init extends SottoCommand<typeof Init> {
  static override summary = 'make an identity: a key of 8192 bits, and a profile around it'
  static override description =
    'The key is generated here, which takes a while, or imported from a PEM file. Nothing is left behind when it is interrupted.'
  static override examples = [
    '<%= config.bin %> init --nickname alice',
    '<%= config.bin %> init --nickname alice --key-file key.pem',
  ]
  static override flags = {
    nickname: Flags.string({ description: 'what others see, up to 64 characters' }),
    avatar: Flags.string({ description: 'picture others see, PNG or JPEG of up to 8 KiB' }),
    'key-file': Flags.string({ description: 'use this RSA key of 8192 bits (PEM)' }),
  }

  async run() {
    const { newIdentity, importIdentity, keyAnswer } = await import('../profile/identity.js')
    const { createProfile, mustBeFree } = await import('../profile/create.js')
    const { nicknameOf } = await import('../profile/nickname.js')
    const { readAvatar } = await import('../profile/avatar.js')
    const paths = await this.paths()
    mustBeFree(paths)
    const nickname = nicknameOf(await this.answer(this.flags.nickname, 'nickname', '--nickname'))
    const avatar = this.flags.avatar === undefined ? null : await readAvatar(this.flags.avatar)
    const passphrase = await this.newPassphrase()
    const keyFile = this.flags['key-file']
    const origin = keyFile === undefined ? 'generated' : 'imported'
    const identity =
      keyFile === undefined
        ? await this.#generate(newIdentity)
        : await importIdentity(keyFile, () =>
            askSecret(this.asking, 'passphrase of the PEM file', '--key-file'),
          )
    await createProfile({ paths, identity, origin, nickname, avatar, passphrase, signal: this.signal })
    const answer = { ...keyAnswer(identity), nickname }
    this.log(`your id is ${answer.id}`)
    this.say('give it to the people who may find you; make a copy of the key: sotto backup create --out FILE')
    return answer
  }

  async #generate(newIdentity: typeof import('../profile/identity.js').newIdentity) {
    this.say('generating a key of 8192 bits')
    const progress = new Progress('testing primes')
    try {
      return await newIdentity({
        signal: this.signal,
        onProgress: ({ tested, expected }) =>
          progress.update(tested / expected, `${tested} of about ${expected}`),
      })
    } finally {
      progress.end()
    }
  }
}

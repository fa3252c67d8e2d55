import { Machine, type Outcome, type Running } from './machine.js'

type Answer = Readonly<Record<string, unknown>>

/** Somebody at a machine of their own. */
export class Person {
  readonly name: string
  id = ''
  readonly #machine: Machine

  constructor(name: string, directory: string) {
    this.name = name
    this.#machine = new Machine(directory, `the passphrase of ${name}`)
  }

  /** A new identity with a key generated on the spot; its progress is shown. */
  async init(): Promise<void> {
    const onTalk = (text: string) =>
      process.stdout.write(text.replace(/^(?=.)/gm, `          ${this.name}: `))
    const { id } = await this.answer(['init', '--nickname', this.name], onTalk)
    this.id = String(id)
  }

  /** The answer of one command. @throws Error when its exit code is not 0 */
  ask(...argv: readonly string[]): Promise<Answer> {
    return this.answer(argv)
  }

  daemon(): Promise<Running> {
    return this.#machine.start(['daemon', 'start', '--listen', '127.0.0.1:0', '--json'])
  }

  async texts(who: string): Promise<string[]> {
    return (await this.#messages(who)).map((message) => message.text)
  }

  async stateOf(who: string, text: string): Promise<string | undefined> {
    return (await this.#messages(who)).find((message) => message.text === text)?.state
  }

  close(): Promise<void> {
    return this.#machine.close()
  }

  async answer(argv: readonly string[], onTalk?: (text: string) => void): Promise<Answer> {
    const outcome = await this.#machine.run([...argv, '--json'], onTalk === undefined ? {} : { onTalk })
    if (outcome.code !== 0)
      throw new Error(`sotto ${argv.join(' ')}: exit code ${outcome.code}, ${talk(outcome)}`)
    return outcome.json as Answer
  }

  async #messages(who: string): Promise<{ readonly text: string; readonly state: string }[]> {
    const { messages } = await this.ask('chat', 'read', who)
    return messages as { text: string; state: string }[]
  }
}

function talk({ stdout, stderr }: Outcome): string {
  return (stdout + stderr).trim()
}

import { Command, Flags, type Interfaces } from '@oclif/core'
import type { Access, Params } from '../profile/access.js'
import type { MessageAnswer } from '../profile/answers.js'
import type { MethodName, Result } from '../profile/methods/index.js'
import type { ProfilePaths } from '../profile/paths.js'
import { type Asking, askText, askYes, interactiveTerminal } from './ask.js'
import { printFailure } from './failure.js'
import { interruption } from './interrupt.js'
import { knownPassphrase, newPassphrase } from './passphrase.js'
import { Progress } from './progress.js'
import { safeJson } from './safe-json.js'

type FlagsOf<T extends typeof Command> = Interfaces.InferredFlags<
  (typeof SottoCommand)['baseFlags'] & T['flags']
>
type ArgsOf<T extends typeof Command> = Interfaces.InferredArgs<T['args']>

/** What every command has in common: the global flags, one shape of error, answers, and a way to the profile. */
export abstract class SottoCommand<T extends typeof Command> extends Command {
  static override enableJsonFlag = true

  static override baseFlags = {
    'no-input': Flags.boolean({
      description: 'never ask; a missing answer is an error',
      helpGroup: 'GLOBAL',
    }),
    profile: Flags.string({ description: 'which profile', default: 'default', helpGroup: 'GLOBAL' }),
    'passphrase-file': Flags.string({
      description: 'file whose first line is the passphrase (also SOTTO_PASSPHRASE_FILE)',
      helpGroup: 'GLOBAL',
    }),
    'new-passphrase-file': Flags.string({
      description: 'file whose first line is the passphrase that seals anew',
      helpGroup: 'GLOBAL',
    }),
  }

  protected flags!: FlagsOf<T>
  protected args!: ArgsOf<T>
  #access: Access | null = null

  override async init(): Promise<void> {
    await super.init()
    const { flags, baseFlags, args, strict } = this.ctor
    const parsed = await this.parse({ flags, baseFlags, args, strict, enableJsonFlag: true })
    this.flags = parsed.flags as FlagsOf<T>
    this.args = parsed.args as ArgsOf<T>
    interruption()
  }

  /** Talk: everything that is not the answer. */
  protected say(text: string): void {
    process.stderr.write(`${text}\n`)
  }

  protected get signal(): AbortSignal {
    return interruption()
  }

  protected get asking(): Asking {
    return { interactive: interactiveTerminal(this.flags['no-input']), signal: this.signal }
  }

  protected async paths(): Promise<ProfilePaths> {
    const { profilePaths } = await import('../profile/paths.js')
    return profilePaths(this.config.dataDir, this.flags.profile)
  }

  /** The passphrase that opens what is there. */
  protected passphrase(): Promise<string> {
    return knownPassphrase(this.#sources, this.asking)
  }

  /** The passphrase that seals something new. */
  protected newPassphrase(): Promise<string> {
    return newPassphrase(this.#sources, this.asking)
  }

  /** A flag's value, or the answer of the person at the terminal. @throws missing-answer */
  protected answer(given: string | undefined, question: string, flag: string): Promise<string> {
    return given === undefined ? askText(this.asking, question, flag) : Promise.resolve(given)
  }

  /** Asks before what cannot be undone. @throws missing-answer, cancelled */
  protected async sure(yes: boolean, question: string): Promise<void> {
    if (!yes) await askYes(this.asking, question)
  }

  /** The profile, through its daemon or opened here; closed when the command ends. */
  protected async access(): Promise<Access> {
    const { openAccess } = await import('../profile/access.js')
    const progress = new Progress('reading the log')
    this.#access ??= await openAccess({
      paths: await this.paths(),
      passphrase: () => this.passphrase(),
      onProgress: ({ done, total }) => progress.update(total === 0 ? null : done / total),
    })
    progress.end()
    if (this.#access.readOnly)
      this.say('the disk is full: all is shown from the log, and nothing is kept; make room')
    return this.#access
  }

  /** Asks the profile. @throws whatever the method throws */
  protected async call<M extends MethodName>(name: M, params: Params<M>): Promise<Result<M>> {
    const access = await this.access()
    return access.call(name, params, { signal: this.signal })
  }

  /** Asks for messages, which come one by one. */
  protected async messages<M extends 'chat.read' | 'chat.search'>(
    name: M,
    params: Params<M>,
  ): Promise<MessageAnswer[]> {
    const messages: MessageAnswer[] = []
    const access = await this.access()
    // Events are the daemon's own, of the shape of docs/CLI.md.
    const onEvent = (event: unknown) => messages.push(event as MessageAnswer)
    await access.call(name, params, { signal: this.signal, onEvent })
    return messages
  }

  override logJson(json: unknown): void {
    process.stdout.write(`${safeJson(json)}\n`)
  }

  protected override catch(error: Error): Promise<void> {
    printFailure(error, this.jsonEnabled())
    return Promise.resolve()
  }

  protected override async finally(error: Error | undefined): Promise<void> {
    await this.#access?.close()
    await super.finally(error)
  }

  get #sources() {
    return { file: this.flags['passphrase-file'], newFile: this.flags['new-passphrase-file'] }
  }
}

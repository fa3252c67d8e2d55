import { SottoError } from '../foundation/errors.js'

/** Whether a question can be put: a terminal on stdin, and no `--no-input`. */
export interface Asking {
  readonly interactive: boolean
  readonly signal: AbortSignal
}

export function interactiveTerminal(noInput: boolean): boolean {
  return process.stdin.isTTY && !noInput
}

/** Questions go to stderr; stdout is data. @throws missing-answer without a terminal */
export async function askText(asking: Asking, message: string, flag: string): Promise<string> {
  mustAsk(asking, flag)
  const { input } = await import('@inquirer/prompts')
  return input({ message }, { output: process.stderr, signal: asking.signal })
}

/** @throws missing-answer without a terminal */
export async function askSecret(asking: Asking, message: string, flag: string): Promise<string> {
  mustAsk(asking, flag)
  const { password } = await import('@inquirer/prompts')
  return password({ message, mask: false }, { output: process.stderr, signal: asking.signal })
}

/** @throws missing-answer without a terminal; cancelled when refused */
export async function askYes(asking: Asking, message: string): Promise<void> {
  mustAsk(asking, '--yes')
  const { confirm } = await import('@inquirer/prompts')
  const sure = await confirm({ message, default: false }, { output: process.stderr, signal: asking.signal })
  if (!sure) throw new SottoError('cancelled')
}

function mustAsk(asking: Asking, flag: string): void {
  if (!asking.interactive) throw new SottoError('missing-answer', flag)
}

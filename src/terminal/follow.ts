import { isSottoError } from '../foundation/errors.js'
import type { Access } from '../profile/access.js'
import type { MessageAnswer } from '../profile/answers.js'

/** Prints a conversation as it goes on, until `signal`. */
export async function follow(
  access: Access,
  params: { readonly who: string; readonly since?: number; readonly limit?: number },
  print: (message: MessageAnswer) => void,
  signal: AbortSignal,
): Promise<void> {
  try {
    // Events are the daemon's own, of the shape of docs/CLI.md.
    await access.call('chat.follow', params, { signal, onEvent: (event) => print(event as MessageAnswer) })
  } catch (error) {
    if (!(isSottoError(error, 'cancelled') && signal.aborted)) throw error
  }
}

import { EXIT } from '../foundation/errors.js'

/** How long a command may take to clean up after the first Ctrl-C. */
const GRACE_MS = 3_000

const controller = new AbortController()
let installed = false
let grace = GRACE_MS

/**
 * Aborted at the first SIGINT or SIGTERM; a second one, or no end within the grace, leaves at once with 130.
 * Installed once a process: oclif has no handler of its own.
 */
export function interruption(): AbortSignal {
  if (!installed) {
    installed = true
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, onSignal)
  }
  return controller.signal
}

/** For what has more to put in order than a command: a daemon says goodbye to everyone first. */
export function allowGrace(ms: number): void {
  grace = ms
}

function onSignal(): void {
  if (controller.signal.aborted) process.exit(EXIT.interrupted)
  controller.abort()
  setTimeout(() => process.exit(EXIT.interrupted), grace).unref()
}

/** What to spawn, and what to put before the script. */
interface Launcher {
  readonly command: string
  readonly before: readonly string[]
}

/**
 * Node as people start it. A test runner puts a loader of its own into NODE_OPTIONS of whatever is spawned, after
 * `env` was given; that loader would be no part of what is under test, and costs more than most commands do.
 * `env` becomes node by exec, so pid, signals, and channels are node's own.
 */
export function plainNode(): Launcher {
  if (process.platform === 'win32') return { command: process.execPath, before: [] }
  return { command: '/usr/bin/env', before: ['-u', 'NODE_OPTIONS', process.execPath] }
}

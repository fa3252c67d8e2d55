import { spawn } from 'node:child_process'
import { open } from 'node:fs/promises'
import { SottoError, errorFromCode, isSottoError } from '../foundation/errors.js'
import type { ProfilePaths } from './paths.js'
import { CHILD_VARIABLE } from './child-variable.js'
import { connectRpc } from './rpc/client.js'

const MAX_PASSPHRASE_BYTES = 4096

export interface DaemonAnswer {
  readonly listening: string | null
  readonly pid: number
}
type Told =
  { readonly ready: DaemonAnswer } | { readonly error: { readonly code: string; readonly message: string } }

/** @throws daemon-runs */
export async function mustNotRun(paths: ProfilePaths): Promise<void> {
  const client = await connectRpc(paths.socket)
  client?.close()
  if (client !== null) throw new SottoError('daemon-runs')
}

export interface SpawnOptions {
  readonly paths: ProfilePaths
  readonly script: string
  readonly argv: readonly string[]
  readonly passphrase: string
}

/** A daemon in the background; returns when it listens. @throws what ended it before that */
export async function spawnDaemon(options: SpawnOptions): Promise<DaemonAnswer> {
  const talk = await open(options.paths.daemonLog, 'a', 0o600)
  try {
    const child = spawn(process.execPath, [...process.execArgv, options.script, ...options.argv], {
      detached: true,
      // Its stdout names an address; daemon.log must not (SPEC § 1).
      stdio: ['pipe', 'ignore', talk.fd, 'ipc'],
      env: { ...process.env, [CHILD_VARIABLE]: '1' },
    })
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(options.passphrase)
    const told = await new Promise<Told>((resolve) => {
      child.once('message', (message) => resolve(message as Told))
      child.once('exit', () => resolve({ error: { code: 'internal', message: 'the daemon ended' } }))
    })
    if (child.connected) child.disconnect()
    child.unref()
    if ('error' in told) throw errorFromCode(told.error.code, told.error.message)
    return told.ready
  } finally {
    await talk.close()
  }
}

/** In a spawned daemon: the passphrase that the parent wrote; null in any other process. */
export async function passphraseFromParent(): Promise<(() => Promise<string>) | null> {
  if (process.env[CHILD_VARIABLE] !== '1' || process.send === undefined) return null
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of process.stdin) {
    const part = chunk as Buffer
    bytes += part.length
    if (bytes > MAX_PASSPHRASE_BYTES) throw new SottoError('too-large')
    chunks.push(part)
  }
  return () => Promise.resolve(Buffer.concat(chunks).toString('utf8'))
}

/** In a spawned daemon: that it listens, or why it does not. Nothing in any other process. */
export function tellParent(what: unknown): void {
  if (process.env[CHILD_VARIABLE] !== '1' || !process.connected) return
  const error = what instanceof Error ? (isSottoError(what) ? what : new SottoError('internal')) : null
  const told: Told =
    error === null ? { ready: what as DaemonAnswer } : { error: { code: error.code, message: error.message } }
  process.send?.(told, () => process.disconnect())
}

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ProfilePaths } from '../../src/profile/paths.js'
import { connectRpc } from '../../src/profile/rpc/client.js'
import { median } from '../figures/figure.js'
import { PASSPHRASE } from './make-profile.js'

export interface DaemonRead {
  /** Milliseconds of `chat read --limit 50` over the local socket, median. */
  readonly ms: number
  /** Resident memory of the daemon after it, in megabytes. */
  readonly rss: number
}

const TIMES = 21
const SOTTO = fileURLToPath(new URL('../../bin/run.js', import.meta.url))

/** A real daemon, of the compiled program, asked over its socket. */
export async function daemonRead(
  directory: string,
  paths: ProfilePaths,
  friend: string,
): Promise<DaemonRead> {
  const passphrase = join(directory, 'passphrase')
  await writeFile(passphrase, PASSPHRASE, { mode: 0o600 })
  const daemon = spawn(process.execPath, [SOTTO, 'daemon', 'start', '--listen', 'off', '--json'], {
    env: { ...process.env, SOTTO_DATA_DIR: directory, SOTTO_PASSPHRASE_FILE: passphrase },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    await once(daemon.stdout, 'data')
    const ms = await readTimes(paths, friend)
    return { ms: median(ms), rss: await residentMegabytes(daemon.pid ?? 0) }
  } finally {
    daemon.kill('SIGTERM')
    await once(daemon, 'close')
  }
}

async function readTimes({ socket }: ProfilePaths, friend: string): Promise<number[]> {
  const client = await connectRpc(socket)
  if (client === null) throw new Error('the daemon does not answer')
  const times: number[] = []
  for (let i = 0; i < TIMES; i++) {
    let shown = 0
    const start = process.hrtime.bigint()
    await client.call('chat.read', { who: friend, limit: 50 }, { onEvent: () => shown++ })
    times.push(Number(process.hrtime.bigint() - start) / 1e6)
    if (shown !== 50) throw new Error(`${shown} messages instead of 50`)
  }
  client.close()
  return times
}

async function residentMegabytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'latin1')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? NaN) / 1e3
}

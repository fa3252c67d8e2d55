import { createHash, randomBytes } from 'node:crypto'
import { readlinkSync, unlinkSync } from 'node:fs'
import { lstat, readdir, unlink } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, dirname, join } from 'node:path'

const SYSTEM_DIGITS = 8
const RANDOM_BYTES = 4
/** What stands behind name and system. */
const WRITER = /^([1-9][0-9]{0,9})\.[0-9a-f]{8}$/

/** What this process is writing now, to be removed also where it leaves in a hurry. */
const underWay = new Set<string>()
process.once('exit', () => {
  for (const path of underWay) removeAtOnce(path)
})

/**
 * Numbers of processes mean something on one system only: another machine on the same network drive, or a container,
 * has processes of its own.
 */
const SYSTEM = createHash('sha256')
  .update(`${hostname()} ${processNames()}`)
  .digest('hex')
  .slice(0, SYSTEM_DIGITS)

/**
 * A name beside `path` for what is to take its place: `.<name>.<system>.<process>.<random>`. A process that is killed
 * leaves the file; its name says that nobody goes on with it (`removeAbandoned`).
 */
export function temporaryName(path: string): string {
  const random = randomBytes(RANDOM_BYTES).toString('hex')
  const temporary = join(dirname(path), `.${basename(path)}.${SYSTEM}.${process.pid}.${random}`)
  underWay.add(temporary)
  return temporary
}

/** It is in its place, or to be removed. */
export async function endTemporary(path: string): Promise<void> {
  await unlink(path).catch(() => undefined)
  underWay.delete(path)
}

/**
 * Removes what processes that are gone left beside `path` when they were writing it. Of what a living process, another
 * system or another user writes, nothing is touched. What cannot be removed stays: it is in nobody's way.
 */
export async function removeAbandoned(path: string): Promise<void> {
  const directory = dirname(path)
  const names = await readdir(directory).catch(() => [])
  for (const name of names) {
    const temporary = join(directory, name)
    if (!isAbandoned(name, basename(path)) || underWay.has(temporary)) continue
    const there = await lstat(temporary).catch(() => null)
    if (there?.isFile() === true && there.uid === process.getuid?.())
      await unlink(temporary).catch(() => undefined)
  }
}

function isAbandoned(name: string, target: string): boolean {
  const prefix = `.${target}.${SYSTEM}.`
  if (!name.startsWith(prefix)) return false
  const pid = Number(WRITER.exec(name.slice(prefix.length))?.[1] ?? 0)
  return pid !== 0 && (pid === process.pid || !isRunning(pid))
}

/** A number that another process has by now counts as running: then the file stays, which does less harm. */
function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH')
  }
}

function processNames(): string {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    return ''
  }
}

function removeAtOnce(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // It is in its place.
  }
}

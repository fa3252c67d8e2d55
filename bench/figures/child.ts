import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/**
 * Runs one measurement in a process of its own, so that neither a warm compiler nor a full heap of another one counts,
 * and gives what it printed as JSON. `script` is relative to bench/.
 */
export async function inChild<T>(script: string, job: unknown): Promise<T> {
  const path = fileURLToPath(new URL(`../${script}`, import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', path, JSON.stringify(job)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let out = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`${script} ${JSON.stringify(job)} ended with ${String(code)}`)
  return JSON.parse(out) as T
}

/** The job of this process, when it is such a child. */
export function jobOfThisChild<T>(): T {
  return JSON.parse(process.argv[2] ?? 'null') as T
}

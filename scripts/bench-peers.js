// Installs what the benchmarks measure sotto beside, once: some of it is compiled here, which takes minutes.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const bench = fileURLToPath(new URL('../bench', import.meta.url))
const installed = `${bench}/node_modules/.package-lock.json`

if (!existsSync(installed) || versions(installed) !== versions(`${bench}/package-lock.json`)) {
  process.stderr.write('installing the peers (some are compiled: minutes)\n')
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: bench,
    stdio: ['ignore', 2, 2],
  })
  process.exitCode = status ?? 1
}

/** What the lock pins, without what belongs to other platforms. */
function versions(path) {
  const { packages } = JSON.parse(readFileSync(path, 'utf8'))
  const names = Object.entries(packages).filter(([name, { optional }]) => name !== '' && optional !== true)
  return names
    .map(([name, { version }]) => `${name}@${version}`)
    .sort()
    .join()
}

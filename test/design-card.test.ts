import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

/** What the design card asks each package for, and the room where that work is done. */
const CARD: Readonly<Record<string, readonly string[]>> = {
  'node-forge': ['src/keys'],
  '@noble/hashes': ['src/keys', 'src/foundation'],
  'hi-base32': ['src/keys'],
  qrcode: ['src/commands', 'src/profile'],
  jsqr: ['src/commands', 'src/profile'],
  'node-hid': ['src/commands', 'src/profile'],
  level: ['src/projections', 'src/events'],
  msgpackr: ['src/foundation'],
  ws: ['src/net'],
  '@oclif/core': ['src/commands'],
}

const root = join(import.meta.dirname, '..', import.meta.dirname.includes('dist') ? '..' : '.')

function sources(room: string): string {
  const files = readdirSync(join(root, room), { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  )
  return files.map((file) => readFileSync(join(root, room, file), 'utf8')).join('\n')
}

t.test('ES-5 every package of the design card is a dependency and does its work in its room', (t) => {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>
    devDependencies: Record<string, string>
  }
  for (const [name, rooms] of Object.entries(CARD)) {
    t.ok(manifest.dependencies[name], `${name} is a dependency`)
    const imported = new RegExp(`(?:from|import\\()\\s*['"]${name}(?:/[^'"]*)?['"]`)
    t.ok(
      rooms.some((room) => imported.test(sources(room))),
      `${name} is imported in ${rooms.join(' or ')}`,
    )
  }
  t.ok(manifest.devDependencies['tap'], 'tap runs the tests')
  t.ok(manifest.devDependencies['typescript'], 'TypeScript')
  t.end()
})

t.test('the heavy packages are loaded only by the commands that need them', (t) => {
  const commands = sources('src/commands') + sources('src/profile')
  for (const name of ['node-hid', 'qrcode', 'jsqr']) {
    t.notMatch(
      commands,
      new RegExp(`^import (?!type)[^\\n]*from '${name}'`, 'm'),
      `${name} is not imported at the top of a file`,
    )
  }
  t.end()
})

import { readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join, normalize } from 'node:path'
import t from 'tap'
import { ROOT, scanFile, scanSource, sourceFiles, type Import } from './fixtures/source-scan.js'

/** Who may look into whom. */
const ROOMS: Record<string, readonly string[]> = {
  foundation: [],
  events: ['foundation'],
  keys: ['foundation'],
  projections: ['foundation', 'events'],
  net: ['foundation', 'events', 'projections', 'keys'],
  profile: ['foundation', 'events', 'projections', 'keys', 'net'],
  terminal: ['foundation', 'profile', 'keys'],
  commands: ['foundation', 'profile', 'keys', 'terminal', 'tracker'],
  tracker: ['foundation', 'events'],
  demo: ['foundation', 'events', 'keys', 'profile', 'terminal', 'tracker'],
  bin: ['terminal'],
}
/** Whose types a room may name, and no more. */
const TYPES: Record<string, readonly string[]> = {
  terminal: ['events', 'projections'],
  commands: ['events', 'projections', 'net'],
  demo: ['events', 'projections', 'net'],
}
/** Single files that another room may use all the same. */
const SHARED: readonly { from: string; to: RegExp; why: string }[] = [
  { from: 'tracker', to: /^src\/net\/tracker\//, why: 'the codecs of the wire, which both ends speak' },
  { from: 'tracker', to: /^src\/net\/gate\/address\.ts$/, why: 'reading addresses; pure' },
  { from: 'tracker', to: /^src\/net\/clock\.ts$/, why: 'time as it is injected; pure' },
]

/** What reaches other machines, or starts what could. */
const OUTWARD = new Set(
  ['net', 'http', 'https', 'http2', 'tls', 'dgram', 'dns', 'dns/promises', 'child_process', 'cluster']
    .concat(
      'worker_threads',
      'inspector',
      'inspector/promises',
      'async_hooks',
      'vm',
      'module',
      'wasi',
      'repl',
    )
    .map((name) => `node:${name}`)
    .concat('ws', 'undici'),
)
const GATE = /^src\/net\/(?:gate|site)\//
const GATE_MODULES = new Set(['node:net', 'node:http', 'node:dgram', 'node:dns', 'ws'])
/** Functions of an outward module that open nothing. */
const PURE: Record<string, readonly string[]> = { 'node:net': ['isIP', 'isIPv4', 'isIPv6'] }
/** The named exceptions: each with its reason. */
const EXCEPTIONS: readonly { file: RegExp; module: string; why: string }[] = [
  {
    file: /^tracker\/server\.ts$/,
    module: 'node:dgram',
    why: 'a tracker answers on its port, and asks nobody',
  },
  { file: /^src\/profile\/rpc\/(?:server|client)\.ts$/, module: 'node:net', why: 'the local Unix socket' },
  { file: /^src\/profile\/daemon-process\.ts$/, module: 'node:child_process', why: 'daemon start --detach' },
  { file: /^demo\//, module: 'node:child_process', why: 'the demonstration runs the command line' },
]

const files = sourceFiles('src', 'tracker', 'bin', 'demo')
const scans = files.map((file) => ({ file, ...scanFile(file) }))

t.test('imports between the rooms go one way', (t) => {
  t.ok(files.length > 50, `${files.length} files`)
  const wrong = scans.flatMap(({ file, imports }) =>
    imports.flatMap((each) => {
      const to = targetOf(file, each)
      return to === null || mayLookInto(file, to, each.typeOnly) ? [] : [`${file} imports ${to}`]
    }),
  )
  t.same(wrong, [])
  t.end()
})

t.test('only the gate and the site open sockets, resolve names or start processes', (t) => {
  t.same(
    scans.flatMap(({ file, imports }) => outwardImports(file, imports)),
    [],
  )
  t.same(
    scans.flatMap(({ file, escapes }) => escapes.map((escape) => `${file} uses ${escape}`)),
    [],
  )
  t.end()
})

t.test('every exception is still needed', (t) => {
  for (const { file, module } of EXCEPTIONS) {
    if (!scans.some((scan) => file.test(scan.file))) continue
    const used = scans.some(
      (scan) => file.test(scan.file) && scan.imports.some((each) => each.specifier === module),
    )
    t.ok(used, `${String(file)} uses ${module}`)
  }
  t.end()
})

t.test('packages are the ones of package.json, built-ins have their prefix', (t) => {
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    dependencies: object
  }
  const known = Object.keys(dependencies)
  for (const { file, imports } of scans) {
    for (const { specifier } of imports.filter((each) => !each.specifier.startsWith('.'))) {
      const fine = specifier.startsWith('node:')
        ? isBuiltin(specifier)
        : known.some((name) => specifier === name || specifier.startsWith(`${name}/`))
      if (!fine) t.fail(`${file} imports ${specifier}`)
    }
  }
  t.end()
})

t.test('the scan sees every way out that it is there for', (t) => {
  const seen: Record<string, string> = {
    "import net from 'node:net'": 'node:net',
    "import * as net from 'node:net'": 'node:net',
    "import { connect as isIP } from 'node:net'": 'node:net',
    "import { isIP, connect } from 'node:net'": 'node:net',
    "import 'node:http'": 'node:http',
    "export { request } from 'node:https'": 'node:https',
    "export * from 'node:tls'": 'node:tls',
    "const { lookup } = await import('node:dns')": 'node:dns',
    'const x = await import(`ws`)': 'ws',
    "import dgram = require('node:dgram')": 'node:dgram',
    "import { Worker } from 'node:worker_threads'": 'node:worker_threads',
    "import { executionAsyncResource } from 'node:async_hooks'": 'node:async_hooks',
  }
  for (const [code, module] of Object.entries(seen)) {
    t.same(
      outwardImports('src/keys/x.ts', scanSource(code).imports),
      [`src/keys/x.ts imports ${module}`],
      code,
    )
  }
  const escapes = [
    "await import('node:' + 'net')",
    "import { createRequire } from 'node:module'",
    "import { createRequire as r } from 'node:module'",
    "const net = require('net')",
    "process.binding('tcp_wrap')",
    "process['binding']('tcp_wrap')",
    'process[name]()',
    "process.getBuiltinModule('net')",
    "eval('1')",
    "new Function('return 1')()",
    "await fetch('http://a')",
    "globalThis.fetch('http://a')",
    "globalThis['fetch']('http://a')",
    'globalThis[name]()',
    'const get = fetch',
    'const all = { fetch }',
    "new WebSocket('ws://a')",
    "new EventSource('http://a')",
  ]
  for (const code of escapes) t.not(scanSource(code).escapes.length, 0, code)
  const harmless = [
    "import type { Socket } from 'node:net'",
    "import { type Socket } from 'node:net'",
    "import { isIP } from 'node:net'",
    'cache.fetch(1)',
    'const x = { fetch: 1 }',
    'class A { fetch() {} }',
    'type W = WebSocket',
    'process.stdout.write("fetch")',
    'function require(x) {}; require(1)',
  ]
  for (const code of harmless) {
    const { imports, escapes } = scanSource(code)
    t.same([...outwardImports('src/keys/x.ts', imports), ...escapes], [], code)
  }
  t.notOk(mayLookInto('src/events/x.ts', 'src/keys/y.ts'))
  t.notOk(mayLookInto('tracker/x.ts', 'src/net/node/y.ts'))
  t.notOk(mayLookInto('src/commands/x.ts', 'src/net/effects.ts'))
  t.ok(mayLookInto('src/commands/x.ts', 'src/net/effects.ts', true))
  t.ok(mayLookInto('tracker/x.ts', 'src/net/tracker/url.ts'))
  t.end()
})

/** The source file an import of ours leads to; null for packages and built-ins. */
function targetOf(file: string, { specifier }: Import): string | null {
  if (!specifier.startsWith('.')) return null
  return normalize(join(file, '..', specifier))
    .replace(/^dist\//, '')
    .replace(/\.js$/, '.ts')
}

function roomOf(file: string): string {
  const [top = '', second = ''] = file.split('/')
  return top === 'src' ? second : top
}

function mayLookInto(file: string, to: string, typeOnly = false): boolean {
  const [from, into] = [roomOf(file), roomOf(to)]
  if (typeOnly && (TYPES[from]?.includes(into) ?? false)) return true
  if (from === into || (ROOMS[from]?.includes(into) ?? false)) return true
  return SHARED.some((each) => each.from === from && each.to.test(to))
}

function outwardImports(file: string, imports: readonly Import[]): string[] {
  return imports
    .filter(({ typeOnly, specifier, names }) => {
      if (typeOnly || !OUTWARD.has(specifier)) return false
      if (GATE.test(file) && GATE_MODULES.has(specifier)) return false
      if (names?.every((name) => PURE[specifier]?.includes(name)) ?? false) return false
      return !EXCEPTIONS.some((each) => each.file.test(file) && each.module === specifier)
    })
    .map(({ specifier }) => `${file} imports ${specifier}`)
}

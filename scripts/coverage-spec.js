// Which test carries which wish of the user: reads the ids of docs/requirements.md and the titles of test/**/*.test.ts.
// Exits non-zero when an id that is `now` has no test, when a title names an unknown id, or when a `later` id is claimed done.
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..')
const ROW = /^\| ([A-Z]+-\d+) \| (now|later) \| (.+?) \|$/
const TITLE = /\bt\.test\(\s*(['"`])((?:(?!\1).)*)\1/gs
const ID = /\b(?:ARC|ID|KEY|STO|LGN|SND|RCV|GRP|AUT|FRD|TRG|PRE|DEV|REV|FW|CAM|ROT|TRK|ES)-\d+\b/g

function wishes() {
  const text = readFileSync(join(ROOT, 'docs/requirements.md'), 'utf8')
  return text.split('\n').flatMap((line) => {
    const row = ROW.exec(line)
    return row ? [{ id: row[1], when: row[2], asked: row[3] }] : []
  })
}

function titles() {
  const files = readdirSync(join(ROOT, 'test'), { recursive: true }).filter((file) =>
    file.endsWith('.test.ts'),
  )
  return files.sort().flatMap((file) => {
    const text = readFileSync(join(ROOT, 'test', file), 'utf8')
    return [...text.matchAll(TITLE)].map((match) => ({
      file,
      title: match[2],
      ids: match[2].match(ID) ?? [],
    }))
  })
}

const asked = wishes()
const known = new Set(asked.map((wish) => wish.id))
const tests = titles()
let missing = 0
for (const wish of asked) {
  const carrying = tests.filter((test) => test.ids.includes(wish.id))
  const lacking = wish.when === 'now' && carrying.length === 0
  if (lacking) missing++
  const state = lacking ? 'MISSING' : carrying.length > 0 ? wish.when : 'planned'
  console.log(`${wish.id.padEnd(7)} ${state.padEnd(8)} ${wish.asked}`)
  for (const test of carrying) console.log(`          ${test.file}: ${test.title}`)
}
const strangers = tests.flatMap((test) =>
  test.ids.filter((id) => !known.has(id)).map((id) => `${id} in ${test.file}`),
)
for (const stranger of strangers) console.log(`unknown id ${stranger}`)
const now = asked.filter((wish) => wish.when === 'now').length
console.log(`${now} ids now, ${asked.length - now} later, ${missing} without a test`)
process.exitCode = missing + strangers.length > 0 ? 1 : 0

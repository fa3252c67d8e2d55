import fc from 'fast-check'
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { SottoError, isSottoError } from '../src/foundation/errors.js'
import { pathsOf, profilePaths } from '../src/profile/paths.js'
import { type RpcClient, connectRpc } from '../src/profile/rpc/client.js'
import { LineCutter, MAX_LINE_BYTES } from '../src/profile/rpc/lines.js'
import { type Dispatch, serveRpc } from '../src/profile/rpc/server.js'

const directory = mkdtempSync(join(tmpdir(), 'sotto-rpc-'))
t.teardown(() => rmSync(directory, { recursive: true, force: true }))
const socket = (name: string) => join(directory, name, 'a.sock')

async function mustConnect(name: string): Promise<RpcClient> {
  const client = await connectRpc(socket(name))
  if (client === null) throw new Error('nothing answers')
  return client
}

/** What a method may do: answer, refuse, fail, stream, never end. */
const dispatch: Dispatch = async (method, params, emit, signal) => {
  if (method === 'echo') return params
  if (method === 'refuse') throw new SottoError('not-found', 'that')
  if (method === 'crash') throw new TypeError('secret detail')
  if (method === 'huge') return 'x'.repeat(MAX_LINE_BYTES)
  if (method === 'stream') for (let i = 0; i < 3; i++) emit({ i })
  if (method === 'forever') await new Promise((resolve) => signal.addEventListener('abort', resolve))
  return { gone: signal.aborted }
}

t.test('answers, refusals, streams; what a method throws by accident stays inside', async (t) => {
  const server = await serveRpc(socket('plain'), dispatch)
  t.teardown(() => server.close())
  t.equal(statSync(socket('plain')).mode & 0o777, 0o600)
  t.equal(statSync(join(directory, 'plain')).mode & 0o777, 0o700)
  const client = await mustConnect('plain')
  t.same(await client.call('echo', { text: 'ä\n😀' }), { text: 'ä\n😀' })
  await t.rejects(client.call('refuse', {}), {
    code: 'not-found',
    message: 'nothing here goes by that: that',
  })
  await t.rejects(client.call('crash', {}), { code: 'internal', message: 'something went wrong inside' })
  await t.rejects(client.call('huge', {}), { code: 'too-large' })
  const events: unknown[] = []
  await client.call('stream', {}, { onEvent: (event) => events.push(event) })
  t.same(events, [{ i: 0 }, { i: 1 }, { i: 2 }])
  const both = await Promise.all([client.call('echo', 1), client.call('echo', 2)])
  t.same(both, [1, 2])
  client.close()
})

t.test('a caller who leaves ends what only it was waiting for; a daemon that leaves is told', async (t) => {
  const left = { is: false }
  const server = await serveRpc(socket('leave'), async (...call) => {
    const result = await dispatch(...call)
    left.is = true
    return result
  })
  const leaver = await mustConnect('leave')
  const stopped = new AbortController()
  const waiting = leaver.call('forever', {}, { signal: stopped.signal })
  setTimeout(() => stopped.abort(), 20)
  await t.rejects(waiting, { code: 'cancelled' })
  for (let i = 0; i < 100 && !left.is; i++) await sleep(10)
  t.ok(left.is)
  const stayer = await mustConnect('leave')
  const never = stayer.call('forever', {})
  await sleep(20)
  await Promise.all([t.rejects(never, { code: 'no-daemon' }), server.close()])
  t.equal(await connectRpc(socket('leave')), null)
})

t.test('garbage on the socket never ends the daemon', async (t) => {
  const server = await serveRpc(socket('garbage'), dispatch)
  t.teardown(() => server.close())
  const throwIn = (bytes: Uint8Array) =>
    new Promise<void>((resolve) => {
      const raw = connect(socket('garbage'), () => raw.end(bytes))
      raw.resume()
      raw.once('close', () => resolve())
      raw.on('error', () => undefined)
    })
  const odd = fc.oneof(
    fc.uint8Array({ maxLength: 400 }),
    fc.json().map((json) => Buffer.from(`${json}\n`)),
    fc
      .record({ id: fc.jsonValue(), method: fc.jsonValue(), params: fc.jsonValue() })
      .map((v) => Buffer.from(`${JSON.stringify(v)}\n`)),
    fc.constant(
      Buffer.from('{"id":1,"method":"__proto__"}\n{"id":1,"method":"echo","params":{"__proto__":1}}\n'),
    ),
  )
  await fc.assert(fc.asyncProperty(odd, throwIn), { numRuns: 60 })
  await throwIn(Buffer.alloc(MAX_LINE_BYTES + 2, 0x20))
  const client = await connectRpc(socket('garbage'))
  t.equal(await client?.call('echo', 'still here'), 'still here')
  client?.close()
})

t.test('one client can neither crowd out the others nor pile up calls', async (t) => {
  const server = await serveRpc(socket('crowd'), dispatch)
  t.teardown(() => server.close())
  const greedy = await mustConnect('crowd')
  const calls = Array.from({ length: 17 }, () => greedy.call('forever', {}).catch((error: unknown) => error))
  const ends = await Promise.all(calls)
  t.ok(
    ends.every((error) => isSottoError(error, 'no-daemon')),
    'the seventeenth call cuts the client off',
  )
  const other = await connectRpc(socket('crowd'))
  t.equal(await other?.call('echo', 1), 1)
  other?.close()
})

t.test(
  'a socket left by kill -9 is replaced; a directory open to others is refused on both sides',
  async (t) => {
    const path = socket('stale')
    const first = await serveRpc(path, dispatch)
    await first.close()
    writeFileSync(path, '')
    t.equal(await connectRpc(path), null)
    const second = await serveRpc(path, dispatch)
    const client = await connectRpc(path)
    t.equal(await client?.call('echo', 1), 1)
    client?.close()
    await second.close()
    chmodSync(join(directory, 'stale'), 0o755)
    await t.rejects(serveRpc(path, dispatch), { code: 'cannot-listen' })
    t.equal(await connectRpc(path), null, 'nor does a command talk to what stands there')
  },
)

t.test('lines are cut the same however the bytes arrive', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ maxLength: 30 })),
      fc.array(fc.integer({ min: 1, max: 20 })),
      (texts, cuts) => {
        const lines = texts.map((text) => JSON.stringify(text))
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''))
        const cutter = new LineCutter()
        const seen: string[] = []
        let at = 0
        for (let i = 0; at < bytes.length; i++) {
          const end = at + (cuts[i % Math.max(1, cuts.length)] ?? 7)
          seen.push(...cutter.push(bytes.subarray(at, end)))
          at = end
        }
        return JSON.stringify(seen) === JSON.stringify(lines)
      },
    ),
  )
  t.throws(() => new LineCutter().push(Buffer.alloc(MAX_LINE_BYTES + 1)), { code: 'too-large' })
  t.end()
})

t.test('socket paths are short, one a profile; profile names cannot leave the data directory', (t) => {
  const deep = pathsOf(`/${'very/long/'.repeat(30)}default`)
  t.ok(deep.socket.length < 100)
  t.not(deep.socket, pathsOf('/elsewhere').socket)
  for (const name of ['..', '.', 'a/b', '', '-x', 'a\0b', 'x'.repeat(65)]) {
    t.throws(() => profilePaths('/data', name), { code: 'usage' }, JSON.stringify(name))
  }
  t.end()
})

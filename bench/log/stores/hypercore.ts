import { pack, unpack } from '../../../src/foundation/pack.js'
import type { Message } from '../records.js'
import { requirePeer } from './require-peer.js'
import type { StoreKind } from './store.js'

interface Core {
  ready(): Promise<void>
  append(blocks: readonly Buffer[]): Promise<unknown>
  readonly length: number
  createReadStream(): AsyncIterable<Buffer>
  close(): Promise<void>
}
type CoreModule = new (path: string, options: { encryption: { key: Buffer } }) => Core

async function open(directory: string): Promise<Core> {
  const Module = requirePeer('hypercore') as CoreModule
  const core = new Module(`${directory}/log.core`, { encryption: { key: Buffer.alloc(32, 3) } })
  await core.ready()
  return core
}

/** Encrypted and signed, and not synced at each append: shown, not compared with. */
export const hypercore: StoreKind = {
  name: 'hypercore, encrypted, not synced',
  counts: false,
  async create(directory) {
    const core = await open(directory)
    return {
      async append(messages) {
        await core.append(messages.map((message) => pack(message)))
      },
      close: () => core.close(),
    }
  },
  async replay(directory, take) {
    const core = await open(directory)
    for await (const block of core.createReadStream()) take(unpack(block) as Message)
    await core.close()
  },
}

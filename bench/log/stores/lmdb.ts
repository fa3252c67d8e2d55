import { pack, unpack } from '../../../src/foundation/pack.js'
import type { Message } from '../records.js'
import { requirePeer } from './require-peer.js'
import type { StoreKind } from './store.js'

interface Lmdb {
  put(key: number, value: Buffer): Promise<boolean>
  /** When what was put before is on the disk. */
  readonly flushed: Promise<boolean>
  getRange(): Iterable<{ readonly value: Buffer }>
  close(): Promise<void>
}
interface LmdbModule {
  open(options: { path: string; encoding: 'binary' }): Lmdb
}

function open(directory: string): Lmdb {
  return (requirePeer('lmdb') as LmdbModule).open({ path: `${directory}/log.lmdb`, encoding: 'binary' })
}

export const lmdb: StoreKind = {
  name: 'lmdb, plain',
  counts: true,
  create(directory) {
    const database = open(directory)
    let next = 1
    return Promise.resolve({
      async append(messages) {
        for (const message of messages) void database.put(next++, pack(message))
        await database.flushed
      },
      close: () => database.close(),
    })
  },
  async replay(directory, take) {
    const database = open(directory)
    for (const { value } of database.getRange()) take(unpack(value) as Message)
    await database.close()
  },
}

import { nodeFileSystem } from '../../../src/events/file-system/node.js'
import { createLog, openLog } from '../../../src/events/log/index.js'
import { pack, unpack } from '../../../src/foundation/pack.js'
import { systemRng } from '../../../src/foundation/rng.js'
import type { Message } from '../records.js'
import type { StoreKind } from './store.js'

const TYPE = 55

export function logOptions(directory: string) {
  const keys = { root: Buffer.alloc(32, 1), owner: Buffer.alloc(32, 2) }
  return { directory: `${directory}/log`, fs: nodeFileSystem, rng: systemRng, ...keys }
}

/** Sealed, chained, one fdatasync an append. */
export const sotto: StoreKind = {
  name: 'sotto',
  counts: false,
  async create(directory) {
    const log = await createLog(logOptions(directory))
    return {
      async append(messages) {
        const records = messages.map((message) => {
          return { type: TYPE, version: 1, at: message.sentAt, body: pack(message) }
        })
        await log.append(records)
      },
      close: () => log.close(),
    }
  },
  async replay(directory, take) {
    const log = await openLog(logOptions(directory))
    for await (const records of log.readFrames()) {
      for (const { body } of records) take(unpack(body) as Message)
    }
    await log.close()
  },
}

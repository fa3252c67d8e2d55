import { Level } from 'level'
import { pack, unpack } from '../../../src/foundation/pack.js'
import type { Message } from '../records.js'
import type { StoreKind } from './store.js'

const KEY_DIGITS = 12

function open(directory: string): Level<string, Buffer> {
  return new Level(`${directory}/log.level`, { valueEncoding: 'buffer' })
}

export const level: StoreKind = {
  name: 'level, plain',
  counts: true,
  async create(directory) {
    const database = open(directory)
    await database.open()
    let next = 1
    return {
      async append(messages) {
        const puts = messages.map((message) => {
          const key = String(next++).padStart(KEY_DIGITS, '0')
          return { type: 'put' as const, key, value: pack(message) }
        })
        await database.batch(puts, { sync: true })
      },
      close: () => database.close(),
    }
  },
  async replay(directory, take) {
    const database = open(directory)
    const values = database.values()
    for (let some = await values.nextv(BULK); some.length > 0; some = await values.nextv(BULK)) {
      for (const value of some) take(unpack(value) as Message)
    }
    await values.close()
    await database.close()
  },
}

const BULK = 1000

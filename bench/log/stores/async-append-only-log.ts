import { open as openFile } from 'node:fs/promises'
import { pack, unpack } from '../../../src/foundation/pack.js'
import type { Message } from '../records.js'
import { requirePeer } from './require-peer.js'
import type { StoreKind } from './store.js'

interface AppendOnlyLog {
  append(data: Buffer, done: (error: Error | null) => void): void
  onDrain(done: () => void): void
  stream(options: { offsets: boolean }): {
    pipe(sink: { paused: boolean; write(record: Buffer): void; end(error?: Error): void }): void
  }
  close(done: (error: Error | null) => void): void
}
type Open = (path: string, options: { writeTimeout: number }) => AppendOnlyLog

/** It buffers writes for this long; the shortest it takes. */
const WRITE_TIMEOUT_MS = 1

function open(path: string): AppendOnlyLog {
  return (requirePeer('async-append-only-log') as Open)(path, { writeTimeout: WRITE_TIMEOUT_MS })
}

const pathIn = (directory: string) => `${directory}/log.aaol`

function closed(log: AppendOnlyLog): Promise<void> {
  return new Promise((resolve, reject) => log.close((error) => (error ? reject(error) : resolve())))
}

/** It does not sync by itself; the fdatasync is ours, on the same file. */
export const asyncAppendOnlyLog: StoreKind = {
  name: 'async-append-only-log, plain',
  counts: true,
  async create(directory) {
    await (await openFile(pathIn(directory), 'w')).close()
    const log = open(pathIn(directory))
    const file = await openFile(pathIn(directory), 'r+')
    return {
      async append(messages) {
        for (const message of messages) {
          await new Promise<void>((resolve, reject) =>
            log.append(pack(message), (error) => (error ? reject(error) : resolve())),
          )
        }
        await new Promise<void>((resolve) => log.onDrain(resolve))
        await file.datasync()
      },
      async close() {
        await file.close()
        await closed(log)
      },
    }
  },
  async replay(directory, take) {
    const log = open(pathIn(directory))
    await new Promise<void>((resolve, reject) => {
      const sink = {
        paused: false,
        write: (record: Buffer) => take(unpack(record) as Message),
        end: (error?: Error) => (error ? reject(error) : resolve()),
      }
      log.stream({ offsets: false }).pipe(sink)
    })
    await closed(log)
  },
}

import { createCipheriv, createDecipheriv, hash, randomBytes } from 'node:crypto'
import { open, readFile } from 'node:fs/promises'
import { pack, unpack } from '../../../src/foundation/pack.js'
import type { Message } from '../records.js'
import type { StoreKind } from './store.js'

const FRAME_BYTES = 64 * 1024
const TAG_BYTES = 16
const NONCE_BYTES = 12
const LENGTH_BYTES = 4
const KEY = Buffer.alloc(32, 4)

/**
 * The least that any sealed and chained log has to do: pack, one SHA-256 a record, AES-256-GCM over frames of 64 KiB,
 * one write and one fdatasync a batch. It checks nothing and finds nothing again.
 */
export const bare: StoreKind = {
  name: 'bare msgpackr + SHA-256 + GCM + write + fdatasync',
  counts: false,
  async create(directory) {
    const file = await open(`${directory}/log.bare`, 'w')
    let end = 0
    let frames = 0
    return {
      async append(messages) {
        const sealed: Buffer[] = []
        for (const plain of framesOf(messages)) sealed.push(...sealOne(plain, frames++))
        const bytes = Buffer.concat(sealed)
        await file.write(bytes, 0, bytes.length, end)
        end += bytes.length
        await file.datasync()
      },
      close: () => file.close(),
    }
  },
  async replay(directory, take) {
    const bytes = await readFile(`${directory}/log.bare`)
    let offset = 0
    for (let n = 0; offset < bytes.length; n++) {
      const end = offset + LENGTH_BYTES + bytes.readUInt32BE(offset)
      for (const record of recordsOf(openOne(bytes.subarray(offset + LENGTH_BYTES, end), n))) {
        hash('sha256', record, 'binary')
        take(unpack(record) as Message)
      }
      offset = end
    }
  },
}

function* framesOf(messages: readonly Message[]): Generator<Buffer> {
  let parts: Buffer[] = []
  let bytes = 0
  for (const message of messages) {
    const record = pack(message)
    hash('sha256', record, 'binary')
    const length = Buffer.allocUnsafe(LENGTH_BYTES)
    length.writeUInt32BE(record.length)
    parts.push(length, record)
    bytes += LENGTH_BYTES + record.length
    if (bytes < FRAME_BYTES) continue
    yield Buffer.concat(parts)
    parts = []
    bytes = 0
  }
  if (bytes > 0) yield Buffer.concat(parts)
}

function nonceOf(n: number): Buffer {
  const nonce = Buffer.alloc(NONCE_BYTES)
  nonce.writeUInt32BE(n, NONCE_BYTES - 4)
  return nonce
}

function sealOne(plain: Buffer, n: number): Buffer[] {
  const cipher = createCipheriv('aes-256-gcm', KEY, nonceOf(n))
  const body = cipher.update(plain)
  cipher.final()
  const length = Buffer.allocUnsafe(LENGTH_BYTES)
  length.writeUInt32BE(body.length + TAG_BYTES)
  return [length, body, cipher.getAuthTag()]
}

function openOne(sealed: Buffer, n: number): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', KEY, nonceOf(n))
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES))
  const plain = decipher.update(sealed.subarray(0, sealed.length - TAG_BYTES))
  decipher.final()
  return plain
}

function* recordsOf(plain: Buffer): Generator<Buffer> {
  for (let at = 0; at < plain.length;) {
    const end = at + LENGTH_BYTES + plain.readUInt32BE(at)
    yield plain.subarray(at + LENGTH_BYTES, end)
    at = end
  }
}

/** Random bytes as they are written one commit at a time: what a disk can do at best. */
export async function bareSyncLoop(directory: string, times: number, bytes: number): Promise<void> {
  const file = await open(`${directory}/loop.bare`, 'w')
  const block = randomBytes(bytes)
  for (let i = 0; i < times; i++) {
    await file.write(block, 0, block.length, i * block.length)
    await file.datasync()
  }
  await file.close()
}

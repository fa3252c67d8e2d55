import { createCipheriv, createDecipheriv, hash, randomBytes } from 'node:crypto'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { costOf } from '../figures/cost.js'
import { jobOfThisChild } from '../figures/child.js'
import { auditLog, createLog } from '../../src/events/log/index.js'
import { pack } from '../../src/foundation/pack.js'
import { BATCH, batches } from './records.js'
import { logOptions } from './stores/sotto.js'

/** An audit of a log of so many records, beside bare SHA-256 and GCM over as many bytes. */
export interface AuditJob {
  readonly directory: string
  readonly records: number
}
export interface AuditRates {
  /** Megabytes a CPU-second. */
  readonly ours: number
  readonly bare: number
}

const FRAME_BYTES = 64 * 1024
const RECORD_BYTES = 456
const TIMES = 3

const { directory, records } = jobOfThisChild<AuditJob>()
await write()
const bytes = await bytesOfLog()
const ours: number[] = []
const bare: number[] = []
for (let i = 0; i < TIMES; i++) {
  ours.push(bytes / 1e6 / (await costOf(audit)).cpu)
  bare.push(bytes / 1e6 / (await bareCost()))
}
console.log(JSON.stringify({ ours: Math.max(...ours), bare: Math.max(...bare) } satisfies AuditRates))

async function write(): Promise<void> {
  const log = await createLog(logOptions(directory))
  for (const batch of batches(records, BATCH)) {
    await log.append(batch.map((each) => ({ type: 55, version: 1, at: each.sentAt, body: pack(each) })))
  }
  await log.close()
}

async function audit(): Promise<void> {
  const { ok, events } = await auditLog(logOptions(directory))
  if (!ok || events !== records) throw new Error('the audit did not verify all of it')
}

/** The same bytes in frames of 64 KiB, sealed beforehand and in memory: opened, and each record hashed once. */
async function bareCost(): Promise<number> {
  const key = randomBytes(32)
  const nonce = Buffer.alloc(12)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  const sealed = cipher.update(randomBytes(FRAME_BYTES))
  cipher.final()
  const tag = cipher.getAuthTag()
  const { cpu } = await costOf(() => {
    for (let done = 0; done < bytes; done += FRAME_BYTES) {
      const decipher = createDecipheriv('aes-256-gcm', key, nonce)
      decipher.setAuthTag(tag)
      const plain = decipher.update(sealed)
      decipher.final()
      for (let at = 0; at < plain.length; at += RECORD_BYTES) {
        hash('sha256', plain.subarray(at, at + RECORD_BYTES), 'binary')
      }
    }
    return Promise.resolve()
  })
  return cpu
}

async function bytesOfLog(): Promise<number> {
  const log = join(directory, 'log')
  const segments = (await readdir(log)).filter((name) => name.endsWith('.seg'))
  const sizes = await Promise.all(segments.map(async (name) => (await stat(join(log, name))).size))
  return sizes.reduce((sum, size) => sum + size, 0)
}

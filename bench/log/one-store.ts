import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Cost, costOf } from '../figures/cost.js'
import { jobOfThisChild } from '../figures/child.js'
import { Inbox, type Message, batches } from './records.js'
import { STORES } from './stores/index.js'
import type { StoreKind } from './stores/store.js'

const WARM_UP_RECORDS = 20_000

/** One store, one direction, in a process of its own. */
export interface StoreJob {
  readonly store: string
  readonly what: 'append' | 'replay'
  readonly directory: string
  readonly records: number
}

const { store: name, what, directory, records } = jobOfThisChild<StoreJob>()
const kind = STORES.find((each) => each.name === name)
if (kind === undefined) throw new Error(`there is no store called ${name}`)
const cost = what === 'append' ? await appendAll(kind) : await replayAll(kind)
console.log(JSON.stringify(cost))

async function appendAll(kind: StoreKind): Promise<Cost> {
  await warmUp(kind)
  // The messages are made before the clock runs.
  const work = [...batches(records)]
  return costOf(() => fill(kind, directory, work))
}

async function fill(kind: StoreKind, into: string, work: Iterable<Message[]>): Promise<void> {
  const store = await kind.create(into)
  for (const batch of work) await store.append(batch)
  await store.close()
}

/** What the compiler takes to get going is no cost of a record: every store gets the same time to warm up. */
async function warmUp(kind: StoreKind): Promise<void> {
  const aside = await mkdtemp(join(tmpdir(), 'sotto-warm-'))
  await fill(kind, aside, batches(WARM_UP_RECORDS))
  await kind.replay(aside, () => undefined)
  await rm(aside, { recursive: true })
}

async function replayAll(kind: StoreKind): Promise<Cost> {
  await warmUp(kind)
  const inbox = new Inbox()
  const cost = await costOf(() => kind.replay(directory, (message) => inbox.take(message)))
  if (inbox.total !== records) throw new Error(`${name} gave ${inbox.total} of ${records} messages`)
  return cost
}

import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { inChild } from '../figures/child.js'
import type { Cost } from '../figures/cost.js'
import { type Figure, figure, median, rounded } from '../figures/figure.js'
import { type BenchOptions, tell } from '../figures/options.js'
import { withScratch } from '../figures/scratch-directory.js'
import { pack } from '../../src/foundation/pack.js'
import type { StoreJob } from './one-store.js'
import { batches } from './records.js'
import { bare } from './stores/bare.js'
import { hypercore } from './stores/hypercore.js'
import { STORES } from './stores/index.js'
import { sotto } from './stores/sotto.js'
import type { StoreKind } from './stores/store.js'

interface Costs {
  readonly append: Cost[]
  readonly replay: Cost[]
  bytes: number
}

/** Append and replay of the same work by every store, in turn, round after round. */
export async function storesCompared({ quick }: BenchOptions): Promise<Figure[]> {
  const records = quick ? 20_000 : 100_000
  const rounds = quick ? 3 : 5
  const costs = new Map<StoreKind, Costs>(STORES.map((kind) => [kind, { append: [], replay: [], bytes: 0 }]))
  for (let round = 1; round <= rounds; round++) {
    tell(`stores, round ${round} of ${rounds}`)
    for (const [kind, of] of costs) if (kind !== hypercore || round === 1) await measure(kind, records, of)
  }
  for (const [kind, of] of costs) tell(lineOf(kind, of, records))
  return figuresOf(costs, records)
}

async function measure(kind: StoreKind, records: number, costs: Costs): Promise<void> {
  await withScratch(async (directory) => {
    const job = (what: StoreJob['what']): StoreJob => ({ store: kind.name, what, directory, records })
    costs.append.push(await inChild<Cost>('log/one-store.ts', job('append')))
    costs.bytes = await bytesIn(directory)
    costs.replay.push(await inChild<Cost>('log/one-store.ts', job('replay')))
  })
}

function figuresOf(costs: ReadonlyMap<StoreKind, Costs>, records: number): Figure[] {
  const micros = (kind: StoreKind, what: StoreJob['what']) =>
    (median((costs.get(kind)?.[what] ?? []).map(({ cpu }) => cpu)) * 1e6) / records
  const best = (what: StoreJob['what']) => {
    const peers = STORES.filter(({ counts }) => counts).map((kind) => ({
      name: kind.name,
      value: micros(kind, what),
    }))
    return peers.reduce((least, peer) => (peer.value < least.value ? peer : least))
  }
  const perSecond = (kind: StoreKind, what: StoreJob['what']) => 1e6 / micros(kind, what)
  const least = (bound: number) => ({ of: 'ratio', at: 'least', bound }) as const
  const most = (bound: number) => ({ of: 'ratio', at: 'most', bound }) as const
  const compared = (what: StoreJob['what']) => [
    figure({
      name: `log.${what}.cpu`,
      unit: 'µs CPU/record',
      value: micros(sotto, what),
      peer: best(what),
      goal: most(0.6),
    }),
    figure({
      name: `log.${what}.limit`,
      unit: 'records/CPU-s',
      value: perSecond(sotto, what),
      peer: { name: bare.name, value: perSecond(bare, what) },
      goal: least(0.5),
    }),
  ]
  const disk = (costs.get(sotto)?.bytes ?? NaN) / packedBytes(records)
  return [
    ...compared('append'),
    ...compared('replay'),
    figure({
      name: 'log.disk',
      unit: 'bytes on disk/packed byte',
      value: disk,
      goal: { of: 'value', at: 'most', bound: 1.06 },
    }),
  ]
}

/** Every message packs to the same length but for its numbers; one batch tells. */
function packedBytes(records: number): number {
  const [batch = []] = batches(1000)
  return (batch.reduce((sum, message) => sum + pack(message).length, 0) / batch.length) * records
}

async function bytesIn(directory: string): Promise<number> {
  const names = await readdir(directory, { recursive: true })
  const sizes = await Promise.all(names.map(async (name) => stat(join(directory, name))))
  return sizes.reduce((sum, stats) => sum + (stats.isFile() ? stats.size : 0), 0)
}

function lineOf({ name }: StoreKind, { append, replay, bytes }: Costs, records: number): string {
  const micros = (costs: readonly Cost[]) => rounded((median(costs.map(({ cpu }) => cpu)) * 1e6) / records)
  const rate = (costs: readonly Cost[]) => rounded(records / median(costs.map(({ wall }) => wall)) / 1000)
  const each = (costs: readonly Cost[]) => `${micros(costs)} µs CPU, ${rate(costs)} k/s`
  return `  ${name}: append ${each(append)}; replay ${each(replay)}; ${rounded(bytes / records)} bytes/record`
}

import { asyncAppendOnlyLog } from './async-append-only-log.js'
import { bare } from './bare.js'
import { hypercore } from './hypercore.js'
import { level } from './level.js'
import { lmdb } from './lmdb.js'
import { sotto } from './sotto.js'
import { sqlite, sqliteCiphers } from './sqlite.js'
import type { StoreKind } from './store.js'

export const STORES: readonly StoreKind[] = [
  sotto,
  bare,
  sqlite,
  sqliteCiphers,
  lmdb,
  level,
  asyncAppendOnlyLog,
  hypercore,
]

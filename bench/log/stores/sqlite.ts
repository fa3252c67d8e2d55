import { pack, unpack } from '../../../src/foundation/pack.js'
import type { Message } from '../records.js'
import { requirePeer } from './require-peer.js'
import type { StoreKind } from './store.js'

interface Statement {
  run(value: Buffer): unknown
  iterate(): Iterable<{ readonly body: Buffer }>
}
interface Sqlite {
  pragma(text: string): unknown
  exec(text: string): unknown
  prepare(text: string): Statement
  transaction(work: (messages: readonly Message[]) => void): (messages: readonly Message[]) => void
  close(): void
}
type SqliteModule = new (path: string) => Sqlite

/** WAL and synchronous FULL: a commit is one fdatasync. Encrypted only where a key is given. */
function sqliteKind(name: string, module: string, key: string | null): StoreKind {
  const open = (directory: string): Sqlite => {
    const Module = requirePeer(module) as SqliteModule
    const database = new Module(`${directory}/log.db`)
    if (key !== null) database.pragma(`key = '${key}'`)
    database.pragma('journal_mode = WAL')
    database.pragma('synchronous = FULL')
    return database
  }
  return {
    name,
    counts: true,
    create(directory) {
      const database = open(directory)
      database.exec('CREATE TABLE log (seq INTEGER PRIMARY KEY, body BLOB NOT NULL)')
      const insert = database.prepare('INSERT INTO log (body) VALUES (?)')
      const append = database.transaction((messages) => {
        for (const message of messages) insert.run(pack(message))
      })
      return Promise.resolve({
        append: (messages) => {
          append(messages)
          return Promise.resolve()
        },
        close: () => {
          database.close()
          return Promise.resolve()
        },
      })
    },
    replay(directory, take) {
      const database = open(directory)
      for (const { body } of database.prepare('SELECT body FROM log ORDER BY seq').iterate()) {
        take(unpack(body) as Message)
      }
      database.close()
      return Promise.resolve()
    },
  }
}

export const sqlite = sqliteKind('better-sqlite3 WAL+FULL, plain', 'better-sqlite3', null)
export const sqliteCiphers = sqliteKind(
  'better-sqlite3-multiple-ciphers',
  'better-sqlite3-multiple-ciphers',
  'sotto-bench',
)

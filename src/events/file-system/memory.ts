import { SottoError } from '../../foundation/errors.js'
import type { FileHandle, FileSystem, OpenMode } from './file-system.js'

const FIRST_CAPACITY = 1024

/** Files in memory, for tests and the simulator: always durable, never full. */
export interface MemoryFileSystem extends FileSystem {
  /** A file's bytes as they are now. @throws ENOENT */
  contents(path: string): Buffer
  /** Puts a file there, as if it had always been. */
  put(path: string, bytes: Uint8Array): void
  /** Paths of all files. */
  paths(): string[]
}

export function memoryFileSystem(): MemoryFileSystem {
  const files = new Map<string, MemoryFile>()
  const locks = new Set<string>()
  const existing = (path: string): MemoryFile => {
    const file = files.get(path)
    if (file === undefined) throw missing(path)
    return file
  }
  const below = (path: string) => [...files.keys()].filter((name) => name.startsWith(`${path}/`))
  return {
    open: (path, mode) => attempt(() => new MemoryHandle(openFile(files, existing, path, mode))),
    rename: (from, to) =>
      attempt(() => {
        for (const path of below(from)) files.set(to + path.slice(from.length), existing(path))
        if (files.has(from)) files.set(to, existing(from))
        else if (below(from).length === 0) throw missing(from)
        for (const path of [from, ...below(from)]) files.delete(path)
      }),
    unlink: (path) =>
      attempt(() => {
        existing(path)
        files.delete(path)
      }),
    link: (from, to) => attempt(() => void files.set(to, existing(from))),
    removeDirectory: (path) => attempt(() => below(path).forEach((name) => files.delete(name))),
    readdir: (path) => attempt(() => namesIn(files, path)),
    mkdir: () => Promise.resolve(),
    syncDirectory: () => Promise.resolve(),
    exists: (path) => Promise.resolve(files.has(path) || namesIn(files, path).length > 0),
    lock: (path) =>
      attempt(() => {
        if (locks.has(path)) throw new SottoError('log-busy')
        locks.add(path)
        return () => attempt(() => void locks.delete(path))
      }),
    contents: (path) => Buffer.from(existing(path).bytes()),
    put: (path, bytes) => void files.set(path, new MemoryFile(bytes)),
    paths: () => [...files.keys()],
  }
}

function openFile(
  files: Map<string, MemoryFile>,
  existing: (path: string) => MemoryFile,
  path: string,
  mode: OpenMode,
): MemoryFile {
  if (mode !== 'w') return existing(path)
  const file = new MemoryFile(new Uint8Array(0))
  files.set(path, file)
  return file
}

function namesIn(files: Map<string, MemoryFile>, directory: string): string[] {
  const prefix = `${directory}/`
  const below = [...files.keys()].filter((path) => path.startsWith(prefix))
  return [...new Set(below.map((path) => path.slice(prefix.length).split('/', 1)[0] ?? ''))]
}

function attempt<T>(work: () => T): Promise<T> {
  return new Promise((resolve) => resolve(work()))
}

function missing(path: string): Error {
  return Object.assign(new Error(`ENOENT: no such file or directory, '${path}'`), { code: 'ENOENT' })
}

/** Bytes that grow by doubling. */
class MemoryFile {
  #buffer: Buffer
  #size: number

  constructor(bytes: Uint8Array) {
    this.#buffer = Buffer.from(bytes)
    this.#size = bytes.length
  }

  get size(): number {
    return this.#size
  }

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#size)
  }

  write(offset: number, bytes: Uint8Array): void {
    const end = offset + bytes.length
    if (end > this.#size) this.truncate(end)
    this.#buffer.set(bytes, offset)
  }

  truncate(length: number): void {
    if (length > this.#buffer.length) {
      const grown = Buffer.alloc(Math.max(length, 2 * this.#buffer.length, FIRST_CAPACITY))
      this.bytes().copy(grown)
      this.#buffer = grown
    }
    if (length < this.#size) this.#buffer.fill(0, length, this.#size)
    this.#size = length
  }
}

class MemoryHandle implements FileHandle {
  readonly #file: MemoryFile

  constructor(file: MemoryFile) {
    this.#file = file
  }

  read(offset: number, length: number): Promise<Buffer> {
    return attempt(() => Buffer.from(this.#file.bytes().subarray(offset, offset + length)))
  }
  write(offset: number, bytes: Uint8Array): Promise<void> {
    return attempt(() => this.#file.write(offset, bytes))
  }
  datasync(): Promise<void> {
    return Promise.resolve()
  }
  truncate(length: number): Promise<void> {
    return attempt(() => this.#file.truncate(length))
  }
  size(): Promise<number> {
    return Promise.resolve(this.#file.size)
  }
  close(): Promise<void> {
    return Promise.resolve()
  }
}

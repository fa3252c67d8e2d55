/** `r` reads an existing file, `rw` also writes it, `w` creates or empties it and writes. */
export type OpenMode = 'r' | 'rw' | 'w'

/** One open file. Every method rejects with the system's error; who opens closes. */
export interface FileHandle {
  /** Up to `length` bytes from `offset`; fewer only where the file ends. */
  read(offset: number, length: number): Promise<Buffer>
  /** Writes all of `bytes`, or rejects. */
  write(offset: number, bytes: Uint8Array): Promise<void>
  /** Returns when the file's bytes and length are on the disk. A failure is final: never retry it. */
  datasync(): Promise<void>
  truncate(length: number): Promise<void>
  size(): Promise<number>
  /** Idempotent. */
  close(): Promise<void>
}

/** Gives the lock back. Idempotent. */
export type Unlock = () => Promise<void>

/** The little of a file system that the log needs: a real one, one in memory, and faulty ones in tests. */
export interface FileSystem {
  open(path: string, mode: OpenMode): Promise<FileHandle>
  /** Replaces `to` if it exists. Durable after `syncDirectory`. */
  rename(from: string, to: string): Promise<void>
  unlink(path: string): Promise<void>
  /** A second name for a file, which is never written again. Durable after `syncDirectory`. Some file systems have none. */
  link(from: string, to: string): Promise<void>
  /** With everything in it; no error when there is none. */
  removeDirectory(path: string): Promise<void>
  /** Names, not paths; empty when there is no such directory. */
  readdir(path: string): Promise<readonly string[]>
  /** With everything above it; 0700; no error when it exists. */
  mkdir(path: string): Promise<void>
  /** Makes creations, renames and removals in the directory durable. */
  syncDirectory(path: string): Promise<void>
  exists(path: string): Promise<boolean>
  /**
   * An exclusive lock that dies with the process (kill -9 included).
   * @throws log-busy when someone holds it, in this process or another; log-missing when the directory it is in is not there
   */
  lock(path: string): Promise<Unlock>
}

import type { Rng } from '../../foundation/rng.js'
import type { FileSystem } from '../file-system/file-system.js'
import { type Manifest, writeManifest } from './manifest.js'

/** What a replacement changes; the rest stays. */
export type ManifestChange = Partial<Omit<Manifest, 'generation'>>

/** Where the manifest is, and what seals it. */
export interface ManifestPlace {
  readonly fs: FileSystem
  readonly directory: string
  readonly key: Uint8Array
  readonly rng: Rng
}

/**
 * The manifest of a log that is open: appending and rewriting both replace it, one after the other, each from what the
 * other left. After a failed replacement there is no other: nothing tells which of the two is on the disk.
 */
export class LiveManifest {
  readonly #place: ManifestPlace
  #current: Manifest
  #nextNumber: number
  #turn: Promise<void> = Promise.resolve()

  constructor(place: ManifestPlace, manifest: Manifest) {
    this.#place = place
    this.#current = manifest
    const { segments, drafts, retired } = manifest
    this.#nextNumber = Math.max(0, ...segments.map(({ number }) => number), ...drafts, ...retired) + 1
  }

  /** As it is on the disk, but for the retired files that were removed since. */
  get current(): Manifest {
    return this.#current
  }

  /** A file number that this process has not used, and that no file has. */
  drawNumber(): number {
    return this.#nextNumber++
  }

  /** Durable when it resolves. `change` sees what was there just before. */
  replace(change: (current: Manifest) => ManifestChange): Promise<void> {
    return this.#next(async () => {
      const { fs, directory, key, rng } = this.#place
      const before = this.#current
      const manifest = { ...before, ...change(before), generation: before.generation + 1 }
      await writeManifest(fs, directory, key, manifest, rng)
      this.#current = manifest
    })
  }

  /** These retired files are gone for good; the next replacement no longer names them. */
  removed(numbers: readonly number[]): Promise<void> {
    return this.#next(() => {
      const retired = this.#current.retired.filter((number) => !numbers.includes(number))
      this.#current = { ...this.#current, retired }
    })
  }

  /** For a reader: what it found on the disk. */
  found(manifest: Manifest): void {
    this.#current = manifest
  }

  #next(work: () => void | Promise<void>): Promise<void> {
    const done = this.#turn.then(work)
    // Unhandled only here: whoever waits for `done`, or for a later turn, learns of the failure.
    done.catch(() => undefined)
    this.#turn = done
    return done
  }
}

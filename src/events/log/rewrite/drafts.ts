import type { SegmentEntry } from '../manifest.js'
import { segmentPath } from '../segment-file.js'
import { DraftSegment } from './draft-segment.js'
import type { PackedFrame } from './packer.js'
import type { Workshop } from './rewrite.js'
import { shredSegments } from './shred.js'

/** The new files of one rewrite; each is named as a draft in the manifest before it is created. */
export class Drafts {
  readonly #workshop: Workshop
  readonly #first: SegmentEntry
  readonly #entries: SegmentEntry[] = []
  readonly #numbers: number[] = []
  #open: DraftSegment | null = null

  constructor(workshop: Workshop, first: SegmentEntry) {
    this.#workshop = workshop
    this.#first = first
  }

  /** In the chain's order; whole once `finish` has resolved. */
  get entries(): readonly SegmentEntry[] {
    return this.#entries
  }

  async write(frame: PackedFrame | null): Promise<void> {
    if (frame === null) return
    const draft = await this.#draft()
    await draft.write(frame)
  }

  /** All files are on the disk when it resolves; their names have been since they were created. */
  async finish(): Promise<void> {
    await this.#open?.finish()
    await this.close()
  }

  /** Idempotent. */
  async close(): Promise<void> {
    const draft = this.#open
    this.#open = null
    await draft?.close()
  }

  /** Removes what was written, and then its names from the manifest. */
  async abandon(): Promise<void> {
    if (this.#numbers.length === 0) return
    const { files, manifest } = this.#workshop.state
    const paths = this.#numbers.map((number) => segmentPath(files.directory, number))
    const there: string[] = []
    for (const path of paths) if (await files.fs.exists(path)) there.push(path)
    await shredSegments(files.fs, files.directory, there)
    await manifest.replace(({ drafts }) => ({
      drafts: drafts.filter((number) => !this.#numbers.includes(number)),
    }))
  }

  async #draft(): Promise<DraftSegment> {
    const draft = this.#open
    if (draft !== null && draft.end.offset < this.#workshop.segmentBytes) return draft
    await this.finish()
    this.#open = await this.#create(draft)
    this.#entries.push(this.#open.entry)
    return this.#open
  }

  async #create(before: DraftSegment | null): Promise<DraftSegment> {
    const { state, rng } = this.#workshop
    const { files, manifest } = state
    const number = manifest.drawNumber()
    this.#numbers.push(number)
    await manifest.replace(({ drafts }) => ({ drafts: [...drafts, number] }))
    const { firstSeq, previousLink } = this.#first
    const place = {
      firstSeq: before?.end.nextSeq ?? firstSeq,
      previousLink: before?.end.link ?? previousLink,
    }
    return DraftSegment.create(files, { number, ...place }, rng)
  }
}

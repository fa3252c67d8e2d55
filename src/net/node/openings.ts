import type { Job } from '../effects.js'
import type { Turn } from './turn.js'

/** Private operations at once: each takes 37 ms of a core and shares the thread pool with the log. */
const MAX_RUNNING = 2
/** Waiting operations above which no new handshake is begun (DESIGN, Links: queue of 16). */
const MAX_WAITING = 16

type Then = (turn: Turn, secret: Uint8Array | null) => void

interface Opening {
  readonly ciphertext: Uint8Array
  readonly label: Uint8Array
  readonly then: Then
}

/** RSA-OAEP operations under way and waiting. */
export interface Openings {
  readonly running: Map<Job, Then>
  readonly waiting: Opening[]
}

export function noOpenings(): Openings {
  return { running: new Map(), waiting: [] }
}

export function openingsBusy(openings: Openings): boolean {
  return openings.waiting.length >= MAX_WAITING
}

/** `then` hears the secret, or null. A caller has at most one operation here, so the queue is bounded by the carriers. */
export function openOaep(turn: Turn, ciphertext: Uint8Array, label: Uint8Array, then: Then): void {
  turn.node.openings.waiting.push({ ciphertext, label, then })
  startNext(turn)
}

export function oaepOpened(turn: Turn, job: Job, secret: Uint8Array | null): void {
  const then = turn.node.openings.running.get(job)
  if (then === undefined) return
  turn.node.openings.running.delete(job)
  then(turn, secret)
  startNext(turn)
}

function startNext(turn: Turn): void {
  const { running, waiting } = turn.node.openings
  while (running.size < MAX_RUNNING) {
    const next = waiting.shift()
    if (next === undefined) return
    const job = turn.node.nextJob++
    running.set(job, next.then)
    turn.emit({ kind: 'open-oaep', job, ciphertext: next.ciphertext, label: next.label })
  }
}

import { isIP } from 'node:net'
import type { Endpoint } from '../../events/vocabulary/facts.js'
import { SottoError } from '../../foundation/errors.js'
import type { Rng } from '../../foundation/rng.js'
import type { Clock } from '../clock.js'
import { makeContactProof, verifyProof } from '../links/proof.js'
import { ReplayCache } from '../links/replay-cache.js'
import { openFront } from '../site/front.js'
import { siteListener } from '../site/site.js'
import { WEB_LIMITS } from '../site/web-server.js'
import { joinEndpoint, plainIp, proofHostOf, scopeOf, splitEndpoint } from './address.js'
import { NO_PROOF, proofOf } from './admission.js'
import { Dialling, type DialFailure } from './dialling.js'
import { type Pipe, SocketPipe } from './message-pipe.js'
import { Names, type Resolve } from './names.js'
import type { Mode } from './policy.js'

/** The only peer there is; it has no ID of its own, being oneself. */
const OTHER_DEVICE = 'device'
const PATH = '/'

/** Someone with the token is on the line; what the proof agreed goes into the handshake (SPEC § 6.6). */
export interface Connected {
  readonly pipe: Pipe
  readonly proof: Uint8Array
  readonly sessionKey: Uint8Array
}

export interface DoorOptions {
  readonly token: Uint8Array
  readonly clock: Clock
  readonly rng: Rng
}

export interface Door {
  readonly listening: Endpoint
  close(): Promise<void>
}

/**
 * A listener for another device of one's own and nobody else: everyone without the token finds the web site.
 * @param onCaller called for each; whoever is not wanted is closed by the caller
 * @throws cannot-listen, bad-endpoint
 */
export async function openDoor(
  options: DoorOptions & { readonly listen: Endpoint; readonly siteSeed: Uint8Array },
  onCaller: (connected: Connected) => void,
): Promise<Door> {
  const { token, clock, rng, siteSeed } = options
  const place = splitEndpoint(options.listen)
  if (place === null || isIP(place.host) === 0)
    throw new SottoError('bad-endpoint', 'an IP address and a port')
  const [startedAt, replays] = [clock.now(), new ReplayCache()]
  // On loopback all visitors come through one local proxy, and share its address.
  const perAddress = scopeOf(place.host) === 'loopback' ? WEB_LIMITS.total : WEB_LIMITS.perAddress
  const front = await openFront<{ readonly proof: Uint8Array; readonly sessionKey: Uint8Array }>({
    ...place,
    site: siteListener(siteSeed, rng),
    limits: { ...WEB_LIMITS, perAddress },
    links: {
      examine: (request) => {
        const proof = proofOf(request)
        const proven = verifyProof({
          proof: proof ?? NO_PROOF,
          method: request.method ?? '',
          path: request.url ?? '',
          host: proofHostOf(request.headers.host ?? ''),
          now: clock.now(),
          startedAt,
          contacts: [{ who: OTHER_DEVICE, token }],
          introductions: [],
          replays,
        })
        return proof === null ? null : proven
      },
      onCaller: ({ proof, sessionKey }, socket) => {
        onCaller({ pipe: new SocketPipe(socket, clock), proof, sessionKey })
      },
    },
  })
  const listening = { host: plainIp(front.address.address) ?? place.host, port: front.address.port }
  return { listening: joinEndpoint(listening), close: () => front.close() }
}

export interface KnockOptions extends DoorOptions {
  /** As the user typed it: reached as given, and nothing else is. */
  readonly to: Endpoint
  readonly mode: Mode
  readonly signal: AbortSignal
  readonly resolve?: Resolve
}

/** @throws bad-endpoint, gate-denied, unreachable, wrong-device (a web site, and it stayed one), cancelled */
export function knock(options: KnockOptions): Promise<Connected> {
  const { to, token, clock, rng, mode, signal } = options
  const place = splitEndpoint(to)
  if (place === null || place.port === 0) return Promise.reject(new SottoError('bad-endpoint', 'HOST:PORT'))
  const { proof, sessionKey } = makeContactProof({
    ...{ token, path: PATH, host: proofHostOf(to), now: clock.now(), rng },
  })
  const rows = [{ kind: 'contact' as const, who: OTHER_DEVICE, endpoints: [to], byHand: [to] }]
  return new Promise((resolve, reject) => {
    let refusal: string | undefined
    const dialling = new Dialling({
      policy: () => ({ mode, rows, own: [], strangers: new Set() }),
      names: new Names(clock, options.resolve),
      onOpen: (_effect, socket) => resolve({ pipe: new SocketPipe(socket, clock), proof, sessionKey }),
      onFailed: (_carrier, reason) => reject(failureOf(reason, refusal)),
      onRefused: ({ detail }) => (refusal = detail),
      onFault: (error) => reject(error instanceof Error ? error : new SottoError('internal')),
    })
    const giveUp = () => {
      dialling.cancelAll()
      reject(new SottoError('cancelled'))
    }
    if (signal.aborted) {
      giveUp()
      return
    }
    signal.addEventListener('abort', giveUp, { once: true })
    dialling.start({ kind: 'dial', carrier: 1, who: OTHER_DEVICE, endpoint: to, path: PATH, proof })
  })
}

function failureOf(reason: DialFailure, refusal: string | undefined): SottoError {
  if (reason === 'gate-denied') return new SottoError('gate-denied', refusal)
  return reason === 'not-admitted' ? new SottoError('wrong-device') : new SottoError('unreachable')
}

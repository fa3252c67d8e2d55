import base32 from 'hi-base32'
import type { Endpoint } from '../../events/vocabulary/facts.js'
import { equalBytes } from '../../foundation/bytes.js'
import { KEY_BYTES, x25519 } from '../../foundation/crypto.js'
import { SottoError } from '../../foundation/errors.js'
import { checkLine, encodeLine } from '../../keys/check-line.js'
import { joinEndpoint, splitEndpoint } from '../gate/address.js'
import { decodeEndpoint, encodeEndpoint } from './endpoint.js'

/** A tracker: where it listens and the X25519 key (32 bytes) that it must prove. */
export interface TrackerUrl {
  readonly host: string
  readonly port: number
  readonly key: Uint8Array
}

const SCHEME = 'sotto-tracker://'
/** Lines 1 and 2 are the blocks of user IDs (SPEC § 0.2), so that neither can be taken for the other. */
const LINES = [3, 4] as const
const DATA_CHARACTERS = 26
const LINE_CHARACTERS = 30
const MAX_URL = 512
const PROBE = new Uint8Array(KEY_BYTES).fill(1)

/** @throws bad-tracker-url for anything else than sotto-tracker://HOST:PORT/KEY with a key whose check characters hold */
export function parseTrackerUrl(text: string): TrackerUrl {
  const trimmed = text.trim()
  const slash = trimmed.lastIndexOf('/')
  if (trimmed.length > MAX_URL || !trimmed.toLowerCase().startsWith(SCHEME) || slash < SCHEME.length)
    throw bad()
  return { ...placeOf(trimmed.slice(SCHEME.length, slash)), key: keyOf(trimmed.slice(slash + 1)) }
}

/** The one way of writing a tracker's URL. @throws bad-endpoint */
export function formatTrackerUrl({ host, port, key }: TrackerUrl): string {
  return `${SCHEME}${canonical(joinEndpoint({ host, port }))}/${keyText(key)}`
}

/** Where a tracker listens. */
export function endpointOf(url: TrackerUrl): Endpoint {
  return joinEndpoint(url)
}

function placeOf(text: string): { host: string; port: number } {
  try {
    const split = splitEndpoint(canonical(text))
    if (split !== null) return split
  } catch (cause) {
    throw new SottoError('bad-tracker-url', 'the address', { cause })
  }
  throw bad('the address')
}

function canonical(endpoint: Endpoint): Endpoint {
  return decodeEndpoint(encodeEndpoint(endpoint))
}

function keyText(key: Uint8Array): string {
  const text = base32.encode(key).replace(/=+$/, '')
  return LINES.map((line, i) =>
    encodeLine(text.slice(i * DATA_CHARACTERS, (i + 1) * DATA_CHARACTERS), line),
  ).join('')
}

function keyOf(text: string): Uint8Array {
  const plain = text.replace(/[\s-]/g, '')
  if (plain.length !== LINES.length * LINE_CHARACTERS) throw bad('the key')
  const data = LINES.map((line, i) =>
    blockOf(plain.slice(i * LINE_CHARACTERS, (i + 1) * LINE_CHARACTERS), line, i + 1),
  ).join('')
  const key = Uint8Array.from(base32.decode.asBytes(data))
  if (
    key.length !== KEY_BYTES ||
    !equalBytes(Buffer.from(base32.encode(key).replace(/=+$/, '')), Buffer.from(data))
  )
    throw bad('the key')
  return usable(key)
}

function blockOf(text: string, line: number, block: number): string {
  const checked = checkLine(text, line)
  if (!checked.ok) throw bad(`block ${block} of the key`)
  return checked.data
}

/** A point of small order would agree on zero with everybody. */
function usable(key: Uint8Array): Uint8Array {
  try {
    x25519(PROBE, key)
    return key
  } catch (cause) {
    throw new SottoError('bad-tracker-url', 'the key', { cause })
  }
}

function bad(detail?: string): SottoError {
  return new SottoError('bad-tracker-url', detail)
}

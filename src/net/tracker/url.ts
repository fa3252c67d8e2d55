import type { Endpoint } from '../../events/vocabulary/facts.js'
import { KEY_BYTES, x25519 } from '../../foundation/crypto.js'
import { SottoError } from '../../foundation/errors.js'
import { decodeKey, encodeKey } from '../../keys/checked-key.js'
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
const FIRST_LINE = 3
const MAX_URL = 512
const PROBE = new Uint8Array(KEY_BYTES).fill(1)

/** @throws bad-tracker-url for anything else than sotto-tracker://HOST:PORT/KEY with a key whose check characters hold */
export function parseTrackerUrl(text: string): TrackerUrl {
  const trimmed = text.trim()
  const slash = trimmed.lastIndexOf('/')
  if (trimmed.length > MAX_URL || !trimmed.toLowerCase().startsWith(SCHEME) || slash < SCHEME.length)
    throw bad()
  return {
    ...placeOf(trimmed.slice(SCHEME.length, slash)),
    key: usable(decodeKey(trimmed.slice(slash + 1), FIRST_LINE, 'bad-tracker-url')),
  }
}

/** The one way of writing a tracker's URL. @throws bad-endpoint */
export function formatTrackerUrl({ host, port, key }: TrackerUrl): string {
  return `${SCHEME}${canonical(joinEndpoint({ host, port }))}/${encodeKey(key, FIRST_LINE)}`
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

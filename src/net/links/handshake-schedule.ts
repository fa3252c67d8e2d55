import { concat, u32, u8, utf8 } from '../../foundation/bytes.js'
import { hash, kdf, KEY_BYTES, mac, type Label } from '../../foundation/crypto.js'
import type { End } from './pair.js'

/** The key schedule of SPEC § 6.4: transcripts, keys and MACs, without any state. */
export const SUITE = 1
const VERSION = 1
export const MAC_BYTES = 32
export const FINAL_BYTES = 128

export type Role = 'initiator' | 'responder'
const LETTER = { initiator: 'I', responder: 'R' } as const

/** One end as its peer has it pinned. */
export interface Party extends End {
  readonly fingerprint: Uint8Array
}
export type Parties = Readonly<Record<Role, Party>>

export function startTranscript(proof: Uint8Array, { initiator, responder }: Parties): Buffer {
  return hash('sotto/link/1', u8(VERSION), u8(SUITE), proof, initiator.address, responder.address)
}

export function mix(transcript: Uint8Array, ...message: readonly Uint8Array[]): Buffer {
  return hash('sotto/mix/1', transcript, ...message)
}

/**
 * The transcript that keys and MACs are made over: with d's part before its MAC, and both identities. These come in
 * last, so that two ends that disagree on an epoch still get to say so in c and d, and fail at the MAC.
 */
export function bindIdentities(
  transcript: Uint8Array,
  { initiator, responder }: Parties,
  ...part: readonly Uint8Array[]
): Buffer {
  const identities = [
    initiator.fingerprint,
    responder.fingerprint,
    u32(initiator.epoch),
    u32(responder.epoch),
  ]
  return mix(mix(transcript, ...part), ...identities)
}

/** The keys of messages a and b, from what the proof agreed. */
export function outerKeys(sessionKey: Uint8Array): { a: Buffer; b: Buffer } {
  const both = kdf(sessionKey, 'sotto/link-ab/1', new Uint8Array(0), 2 * KEY_BYTES)
  return { a: both.subarray(0, KEY_BYTES), b: both.subarray(KEY_BYTES) }
}

export function handshakeSecret(
  dh: Uint8Array,
  kem: Uint8Array,
  sessionKey: Uint8Array,
  transcript: Uint8Array,
): Buffer {
  return kdf(concat(dh, kem, sessionKey), 'sotto/link-hs/1', transcript)
}

export function messageKey(hs: Uint8Array, message: 'c' | 'd' | 'e', transcript: Uint8Array): Buffer {
  const label: Label = `sotto/link-hs-${message}/1`
  return kdf(hs, label, transcript)
}

/** OAEP's label: whom the secret is for, and where in which handshake. */
export function linkOaepLabel(decrypter: Role, transcript: Uint8Array): Buffer {
  return concat(utf8('sotto/oaep/1'), utf8(LETTER[decrypter]), transcript)
}

export interface FinalKeys {
  readonly toResponder: Buffer
  readonly toInitiator: Buffer
  readonly mac: Readonly<Record<Role, Buffer>>
}

/** key I→R ‖ key R→I ‖ mac I ‖ mac R, 32 bytes each. */
export function splitFinal(final: Uint8Array): FinalKeys {
  const part = (n: number) => Buffer.from(final.subarray(n * KEY_BYTES, (n + 1) * KEY_BYTES))
  return { toResponder: part(0), toInitiator: part(1), mac: { initiator: part(2), responder: part(3) } }
}

export function linkMac(keys: FinalKeys, role: Role, transcript: Uint8Array): Buffer {
  return mac(keys.mac[role], 'sotto/link-mac/1', utf8(LETTER[role]), transcript)
}

import { HASH_BYTES, KEY_BYTES, NONCE_BYTES, TAG_BYTES } from '../../foundation/crypto.js'

/** Sizes and limits of SPEC § 4, in bytes unless a name says otherwise. */
export const ID_BYTES = 16
export const SALT_BYTES = 16
export const LINK_BYTES = HASH_BYTES
export const COMMITMENT_BYTES = HASH_BYTES

/** Canonical meta as hashed: seq 8, at 8, type 2, version 2. */
export const META_BYTES = 20
export const MAX_BODY_BYTES = 1 << 20

export const MAX_U16 = 0xffff
export const MAX_U32 = 0xffff_ffff
export const MAX_U48 = 2 ** 48 - 1

/** A frame takes what is queued up to these; a single larger append still is one frame. */
export const FRAME_RECORDS = 256
export const FRAME_BODY_BYTES = 64 * 1024
export const FRAME_LENGTH_BYTES = 4
/** Of a frame without its length field: ciphertext and tag. */
export const MAX_FRAME_BYTES = 4 << 20

export const HEADER_BYTES = 192
/** What the header's seal covers: magic 8, version 2, flags 2, log ID, segment ID, KEK generation 4. */
export const HEADER_CLEAR_BYTES = 8 + 2 + 2 + 2 * ID_BYTES + 4
export const HEADER_SECRET_BYTES = KEY_BYTES + 8 + LINK_BYTES
export const HEADER_SEALED_BYTES = HEADER_SECRET_BYTES + TAG_BYTES
export const HEADER_USED_BYTES = HEADER_CLEAR_BYTES + NONCE_BYTES + HEADER_SEALED_BYTES

export const SLOTS = 2
export const SLOT_BYTES = 96
export const FRAMES_OFFSET = HEADER_BYTES + SLOTS * SLOT_BYTES

/** Also what reading the newest few records after a crash walks at most. */
export const DEFAULT_SEGMENT_BYTES = 16 << 20
/** The newest segments that fit into this are walked from end to end at opening (SPEC § 4.5). */
export const WALK_BYTES = 8 << 20
/** How long the queue is empty before the log claims its last commit. */
export const IDLE_CLAIM_MS = 50
/** How long after opening, or after a segment ended, the log looks whether segments are worth merging. */
export const MERGE_AFTER_MS = 2000

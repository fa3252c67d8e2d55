/** A frame of SPEC § 6.5, and room for what wraps the messages of a first contact. */
export const MAX_MESSAGE_BYTES = 64 * 1024 + 1024
/** No honest caller cuts a message into pieces; a few are let through for proxies that do. */
const MAX_FRAGMENTS = 64

/** WebSocket as carriage, at both ends. Compression is off: sizes are padded, and must not tell of content. */
export const CARRIAGE_OPTIONS = {
  perMessageDeflate: false,
  maxPayload: MAX_MESSAGE_BYTES,
  maxFragments: MAX_FRAGMENTS,
  maxBufferedChunks: 1024,
  skipUTF8Validation: true,
} as const

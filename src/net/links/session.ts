import type { Endpoint, MessageId } from '../../events/vocabulary/facts.js'

/** What two verified ends hold: a key and a counter for each direction, and the whole handshake's transcript. */
export interface Session {
  readonly sendKey: Uint8Array
  readonly receiveKey: Uint8Array
  readonly sent: number
  readonly received: number
  readonly transcript: Uint8Array
}
export type LinkFrame =
  | { readonly type: 'letter'; readonly bytes: Uint8Array }
  | { readonly type: 'ack'; readonly messageId: MessageId; readonly what: 'delivered' | 'read' }
  | { readonly type: 'check'; readonly nonce: Uint8Array }
  | { readonly type: 'answer'; readonly md5: Uint8Array; readonly mac: Uint8Array }
  | { readonly type: 'ping' }
  | { readonly type: 'pong' }
  | { readonly type: 'endpoints'; readonly endpoints: readonly Endpoint[] }
  | { readonly type: 'close' }
  | { readonly type: 'unknown'; readonly code: number }
/** @throws too-large above 64 KiB, malformed for `unknown` */
export declare function sealFrame(session: Session, frame: LinkFrame): [Session, Buffer]
/** Null for anything that is not the peer's next frame: close the link then. */
export declare function openFrame(session: Session, bytes: Uint8Array): [Session, LinkFrame] | null

import { toHex } from '../foundation/bytes.js'
import { hash, sha256 } from '../foundation/crypto.js'

/** One value for the state of everything shown: equal on every device that replayed the same log. Lower-case hex. */
export function stateHash(
  projections: readonly { readonly name: string; readonly hash: Uint8Array | string }[],
): string {
  const lines = projections.map(({ name, hash }) => `${name} ${hex(hash)}\n`).sort()
  return toHex(hash('sotto/state/1', sha256(Buffer.from(lines.join('')))))
}

function hex(value: Uint8Array | string): string {
  return typeof value === 'string' ? value : toHex(value)
}

import { wipe } from '../foundation/bytes.js'
import { kdf } from '../foundation/crypto.js'
import { systemRng } from '../foundation/rng.js'
import { systemClock } from './clock.js'
import type { Vault } from './gate/vault.js'
import { createNode, stepNode } from './node/node.js'
import type { Net, NetOptions } from './runtime/contract.js'
import { RunningNet } from './runtime/net.js'

export type { Net, NetOptions } from './runtime/contract.js'

/**
 * Puts a node on the network.
 * @throws cannot-listen, bad-endpoint
 */
export function startNet(options: NetOptions): Promise<Net> {
  const { view, vault, clock = systemClock, rng = systemRng } = options
  const siteSeed = options.siteSeed ?? siteSeedOf(vault)
  const machine = { state: createNode({ view, vault }), step: stepNode }
  return new RunningNet({ ...options, clock, rng, siteSeed }, machine).start()
}

/** The same site for one identity, which nobody can draw who only has its ID. */
function siteSeedOf(vault: Vault): Uint8Array {
  const addressSeed = vault.addressSeed()
  const seed = kdf(addressSeed, 'sotto/site-seed/1')
  wipe(addressSeed)
  return seed
}

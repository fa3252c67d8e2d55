import type { View } from '../../projections/view.js'
import type { Effect, Input, Step } from '../effects.js'
import type { Vault } from '../gate/vault.js'

export interface NodeOptions {
  readonly view: View
  readonly vault: Vault
}

/**
 * The whole node, between two inputs. Dialled carriers get positive numbers from the node; the gate numbers accepted
 * ones below zero, so that the two never meet.
 */
export interface NodeState {
  readonly view: View
  readonly vault: Vault
}

export function createNode(options: NodeOptions): NodeState {
  return { view: options.view, vault: options.vault }
}

export const stepNode: Step<NodeState, Input, Effect> = (state) => [state, []]

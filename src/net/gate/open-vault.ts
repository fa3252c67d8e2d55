import type { Identity } from '../../keys/identity.js'
import type { Vault } from './vault.js'

export declare function openVault(identity: Identity, certificate: Uint8Array): Vault

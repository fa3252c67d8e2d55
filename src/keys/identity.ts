/** A person's secrets: what they are, and how they are kept. */
export { createIdentity, wipeIdentity, type Identity } from './identity-secrets.js'
export { identityFromPayload, payloadOf } from './identity-payload.js'

import type { Endpoint, PublicIdentity } from '../../events/vocabulary/facts.js'
import { equalBytes } from '../../foundation/bytes.js'
import type { ContactRow } from '../view.js'
import { changed } from './contact-row.js'
import type { StoredContact } from './contact-row.js'

/** version 1 ‖ address 32 ‖ epoch 4 ‖ fingerprint 32 ‖ md5 16 ‖ dh 32: what a certificate says of keys (SPEC § 2.4). */
const KEYS_IN_CERTIFICATE = 117

const ANOTHER_KEY = 'another key was presented'

/** The first identity seen for an ID stays; one with other keys replaces nothing, whoever presents it. */
export function contradicts(row: ContactRow, presented: PublicIdentity): boolean {
  if (row.certificate === null || row.spki === null) return false
  return (
    !equalBytes(row.spki, presented.spki) || !equalBytes(keys(row.certificate), keys(presented.certificate))
  )
}

/** Another key raises doubt and takes "verified" away; nothing else it came with is believed. */
export function doubted(contact: StoredContact): StoredContact {
  return changed(contact, { doubt: ANOTHER_KEY, verified: false })
}

/** Keys are pinned once; a newer certificate over the same keys changes nothing. */
export function pinned(row: ContactRow, presented: PublicIdentity): Pick<ContactRow, 'certificate' | 'spki'> {
  return {
    certificate: row.certificate ?? presented.certificate,
    spki: row.spki ?? presented.spki,
  }
}

/** News from the network replaces older news, never what a person typed; no address at all is no news. */
export function learnedEndpoints(contact: StoredContact, endpoints: readonly Endpoint[]): StoredContact {
  return endpoints.length === 0 ? contact : placed(contact, endpoints, contact.byHand)
}

/**
 * What a person leaves standing stays; what is new in the list was typed, and stays until it is taken out by hand, though
 * the network may tell of it too. A list with nothing new and nothing gone says that its first was typed as well.
 */
export function typedEndpoints(contact: StoredContact, endpoints: readonly Endpoint[]): StoredContact {
  const known = contact.shown.endpoints
  const same = endpoints.length === known.length && endpoints.every((endpoint) => known.includes(endpoint))
  const given = (endpoint: Endpoint, at: number) =>
    contact.byHand.includes(endpoint) || !known.includes(endpoint) || (same && at === 0)
  const learned = contact.learned.filter((endpoint) => endpoints.includes(endpoint))
  return placed(contact, learned, endpoints.filter(given))
}

function placed(
  contact: StoredContact,
  learned: readonly Endpoint[],
  byHand: readonly Endpoint[],
): StoredContact {
  return { ...changed(contact, { endpoints: [...new Set([...learned, ...byHand])] }), learned, byHand }
}

function keys(certificate: Uint8Array): Uint8Array {
  return certificate.subarray(0, KEYS_IN_CERTIFICATE)
}

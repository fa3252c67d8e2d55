import type { Rng } from '../foundation/rng.js'
import { checkBox, openBox, sealBox } from '../keys/container.js'
import { type Identity, identityFromPayload, payloadOf } from '../keys/identity.js'
import { readKeyFile, writeKeyFile } from '../keys/key-file.js'

/**
 * Opens the login file, or any other key file of the same form. The form is verified before the passphrase is asked.
 * @throws wrong-passphrase and the format's errors
 */
export async function openKeyFile(path: string, passphrase: () => Promise<string>): Promise<Identity> {
  const bytes = await readKeyFile(path)
  checkBox(bytes)
  const { payload } = await openBox(bytes, await passphrase())
  return identityFromPayload(payload)
}

/** Seals the login file anew: new salt, new key (SPEC § 3). It never holds the recovery seed. */
export async function sealLogin(
  path: string,
  identity: Identity,
  passphrase: string,
  rng: Rng,
): Promise<void> {
  const box = await sealBox(payloadOf(identity, false), 'login', passphrase, rng)
  await writeKeyFile(path, box, { overwrite: true })
}

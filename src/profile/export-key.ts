import { createPublicKey } from 'node:crypto'
import { exportPem, privateKey } from '../keys/rsa-secret.js'
import { wipeIdentity } from '../keys/identity.js'
import { writeKeyFile } from '../keys/key-file.js'
import type { ProfilePaths } from './paths.js'
import { mustBeReady } from './lodging.js'
import { openKeyFile } from './unlock.js'

export interface ExportOptions {
  readonly paths: ProfilePaths
  readonly out: string
  readonly form: 'public' | 'encrypted' | 'plain'
  passphrase(): Promise<string>
  newPassphrase(): Promise<string>
}

/** The passphrase is verified for every form, whether a daemon runs or not. @throws wrong-passphrase */
export async function exportKey(options: ExportOptions): Promise<void> {
  mustBeReady(options.paths)
  const identity = await openKeyFile(options.paths.login, () => options.passphrase())
  try {
    const pem =
      options.form === 'public'
        ? createPublicKey(privateKey(identity.rsa)).export({ type: 'spki', format: 'pem' })
        : exportPem(identity.rsa, options.form === 'plain' ? undefined : await options.newPassphrase())
    await writeKeyFile(options.out, Buffer.from(pem), { overwrite: false })
  } finally {
    wipeIdentity(identity)
  }
}

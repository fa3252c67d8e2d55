/** The identity's RSA-8192 private key: what it is, where it comes from, how it leaves. */
export { privateKey, spkiOf, type PrimesRsa, type RsaSecret, type SeedRsa } from './rsa-key.js'
export { restoreRsa } from './rsa-restore.js'
export { exportPem, importPem } from './pem.js'

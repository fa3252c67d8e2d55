import forge from 'node-forge'
import { createCipheriv, pbkdf2Sync, randomBytes } from 'node:crypto'
import { wipe } from '../foundation/bytes.js'

const { asn1 } = forge
const OID = {
  pbes2: '1.2.840.113549.1.5.13',
  pbkdf2: '1.2.840.113549.1.5.12',
  hmacWithSha256: '1.2.840.113549.2.9',
  aes256Cbc: '2.16.840.1.101.3.4.1.42',
}
/** OWASP's figure for PBKDF2 with HMAC-SHA-256; OpenSSL and node:crypto would take 2048. */
const ROUNDS = 600_000
const SALT_BYTES = 16
const KEY_BYTES = 32
const IV_BYTES = 16

/**
 * EncryptedPrivateKeyInfo (RFC 5958 § 3) of a PKCS#8 key under PBES2 (RFC 8018 § 6.2): PBKDF2-HMAC-SHA-256 and
 * AES-256-CBC, which every tool opens. About half a second.
 */
export function encryptPkcs8(pkcs8: Uint8Array, passphrase: string): string {
  const [salt, iv] = [randomBytes(SALT_BYTES), randomBytes(IV_BYTES)]
  const key = pbkdf2Sync(passphrase, salt, ROUNDS, KEY_BYTES, 'sha256')
  const cipher = createCipheriv('aes-256-cbc', key, iv)
  const sealed = Buffer.concat([cipher.update(pkcs8), cipher.final()])
  wipe(key)
  const derivation = algorithm(OID.pbkdf2, [octets(salt), integer(ROUNDS), algorithm(OID.hmacWithSha256)])
  const scheme = sequence([derivation, sequence([oid(OID.aes256Cbc), octets(iv)])])
  const body = asn1.toDer(sequence([sequence([oid(OID.pbes2), scheme]), octets(sealed)])).getBytes()
  return forge.pem.encode({ type: 'ENCRYPTED PRIVATE KEY', body }).replaceAll('\r\n', '\n')
}

function algorithm(id: string, parameters?: forge.asn1.Asn1[]): forge.asn1.Asn1 {
  return sequence([oid(id), parameters === undefined ? primitive(asn1.Type.NULL, '') : sequence(parameters)])
}
function sequence(parts: forge.asn1.Asn1[]): forge.asn1.Asn1 {
  return asn1.create(asn1.Class.UNIVERSAL, asn1.Type.SEQUENCE, true, parts)
}
function oid(id: string): forge.asn1.Asn1 {
  return primitive(asn1.Type.OID, asn1.oidToDer(id).getBytes())
}
function octets(bytes: Buffer): forge.asn1.Asn1 {
  return primitive(asn1.Type.OCTETSTRING, bytes.toString('latin1'))
}
function integer(value: number): forge.asn1.Asn1 {
  return primitive(asn1.Type.INTEGER, asn1.integerToDer(value).getBytes())
}
function primitive(type: forge.asn1.Type, value: string): forge.asn1.Asn1 {
  return asn1.create(asn1.Class.UNIVERSAL, type, false, value)
}

import { readFile } from 'node:fs/promises'
import type { UserId } from '../events/vocabulary/facts.js'
import { SottoError } from '../foundation/errors.js'
import { writeKeyFile } from '../keys/key-file.js'
import { readId } from './who.js'

const MAX_PICTURE_BYTES = 8 * 1024 * 1024
/** A picture says its size in its header; decoding takes four bytes a pixel. */
const MAX_PIXELS = 16_000_000
const PNG_WIDTH_AT = 16
const PNG_HEADER_BYTES = 24
const PIXELS_PER_MODULE = 8

/** The ID as a QR code of block characters, for a terminal. */
export async function drawId(id: UserId): Promise<string> {
  const { default: qrcode } = await import('qrcode')
  return qrcode.toString(id, { type: 'utf8', errorCorrectionLevel: 'M' })
}

/** The ID as a PNG. It is no secret, but it is not overwritten over something else either. @throws file-exists, file-failed */
export async function writeIdPicture(id: UserId, path: string): Promise<void> {
  const { default: qrcode } = await import('qrcode')
  const png = await qrcode.toBuffer(id, { errorCorrectionLevel: 'M', scale: PIXELS_PER_MODULE })
  await writeKeyFile(path, png)
}

/** @throws not-found (no such file, or no code in it), bad-id (a code that holds something else) */
export async function readIdPicture(path: string): Promise<UserId> {
  const bytes = await readFile(path).catch(() => {
    throw new SottoError('not-found', 'the picture cannot be read')
  })
  const { width, height, data } = await decodePng(bytes)
  const { default: jsqr } = await import('jsqr')
  const found = jsqr.default(new Uint8ClampedArray(data), width, height)
  if (found === null) throw new SottoError('not-found', 'there is no code in the picture')
  return readId(found.data)
}

async function decodePng(bytes: Buffer) {
  const header = bytes.subarray(0, PNG_HEADER_BYTES)
  const pixels =
    header.length < PNG_HEADER_BYTES
      ? 0
      : header.readUInt32BE(PNG_WIDTH_AT) * header.readUInt32BE(PNG_WIDTH_AT + 4)
  if (bytes.length > MAX_PICTURE_BYTES || pixels > MAX_PIXELS)
    throw new SottoError('too-large', 'the picture')
  const { PNG } = await import('pngjs')
  try {
    return PNG.sync.read(bytes)
  } catch (cause) {
    throw new SottoError('malformed', 'not a PNG', { cause })
  }
}

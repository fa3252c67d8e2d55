import { open } from 'node:fs/promises'
import { SottoError, isSottoError } from '../../foundation/errors.js'
import type { Rng } from '../../foundation/rng.js'
import { DEVICE_ID_BYTES } from '../../keys/device-statement.js'
import { writePrivately } from '../../keys/key-file.js'
import type { ProfilePaths } from '../paths.js'

/** This device's ID (16 bytes), or null where none was drawn yet. @throws file-failed */
export async function readDeviceId({ device }: Pick<ProfilePaths, 'device'>): Promise<Buffer | null> {
  try {
    const file = await open(device, 'r')
    try {
      const { buffer, bytesRead } = await file.read(
        Buffer.alloc(DEVICE_ID_BYTES + 1),
        0,
        DEVICE_ID_BYTES + 1,
        0,
      )
      // Of another length it is no ID of ours: a new one is drawn, as for a new device.
      return bytesRead === DEVICE_ID_BYTES ? buffer.subarray(0, DEVICE_ID_BYTES) : null
    } finally {
      await file.close()
    }
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return null
    throw isSottoError(cause) ? cause : new SottoError('file-failed', device, { cause })
  }
}

/** The same; drawn at random and kept where there is none. @throws file-failed */
export async function deviceId(paths: ProfilePaths, rng: Rng): Promise<Buffer> {
  return (await readDeviceId(paths)) ?? drawDeviceId(paths, rng)
}

/** From here on this is another device than before. @throws file-failed */
export async function drawDeviceId({ device }: ProfilePaths, rng: Rng): Promise<Buffer> {
  const id = rng.bytes(DEVICE_ID_BYTES)
  await writePrivately(device, id, { overwrite: true })
  return id
}

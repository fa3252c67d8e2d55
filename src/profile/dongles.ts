import type { Device } from 'node-hid'
import { SottoError } from '../foundation/errors.js'

const YUBICO = 0x1050
const KEYBOARD_USAGE_PAGE = 1

export interface DongleAnswer {
  readonly serial: string | null
  readonly kind: string
  readonly slot: null
  readonly touch: null
}

/** YubiKeys as the system lists them; their slots are asked only when one is used as a factor. @throws no-dongle-library */
export async function listDongles(): Promise<DongleAnswer[]> {
  const devices = await hidDevices()
  return devices
    .filter((device) => device.vendorId === YUBICO && device.usagePage === KEYBOARD_USAGE_PAGE)
    .map(({ product, serialNumber }) => ({
      serial: serialNumber === undefined || serialNumber === '' ? null : serialNumber,
      kind: product ?? 'YubiKey',
      slot: null,
      touch: null,
    }))
}

/** The library is loaded only here, and itself loads the system's libusb only when it is first used. */
async function hidDevices(): Promise<Device[]> {
  try {
    const hid = await import('node-hid')
    return await hid.devicesAsync()
  } catch (cause) {
    throw new SottoError('no-dongle-library', undefined, { cause })
  }
}

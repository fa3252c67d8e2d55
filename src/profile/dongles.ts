import { SottoError } from '../foundation/errors.js'

const YUBICO = 0x1050
const KEYBOARD_USAGE_PAGE = 1

export interface DongleAnswer {
  readonly serial: string | null
  readonly kind: string
  readonly slot: null
  readonly touch: null
}

/** YubiKeys as the system lists them; their slots are asked only when one is used as a factor. @throws internal */
export async function listDongles(): Promise<DongleAnswer[]> {
  const hid = await import('node-hid').catch((cause: unknown) => {
    throw new SottoError(
      'internal',
      'node-hid does not load; install libusb-1.0 and libudev (apt install libusb-1.0-0)',
      { cause },
    )
  })
  const devices = await hid.devicesAsync()
  return devices
    .filter((device) => device.vendorId === YUBICO && device.usagePage === KEYBOARD_USAGE_PAGE)
    .map(({ product, serialNumber }) => ({
      serial: serialNumber === undefined || serialNumber === '' ? null : serialNumber,
      kind: product ?? 'YubiKey',
      slot: null,
      touch: null,
    }))
}

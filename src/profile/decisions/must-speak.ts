import { SottoError } from '../../foundation/errors.js'
import type { View } from '../../projections/view.js'
import { selfOf } from './context.js'

/** Whether this device has to keep silent: a newer one speaks for us, or another one does in the same epoch. */
export function isSuperseded(view: View): boolean {
  const { superseded, deviceConflict } = selfOf(view)
  return superseded !== null || deviceConflict !== null
}

/**
 * Of what people would hear of, or what stands between us and them, nothing is decided on a device that does not speak
 * for us: the one that does would not know. @throws superseded
 */
export function mustSpeak(view: View): void {
  const { superseded, deviceConflict } = selfOf(view)
  if (superseded !== null) throw new SottoError('superseded')
  if (deviceConflict !== null) throw new SottoError('superseded', 'two devices are active at once')
}

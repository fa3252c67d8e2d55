import { Flags } from '@oclif/core'
import { SottoError } from '../foundation/errors.js'

export const formFlag = () =>
  Flags.string({ description: 'how the key is kept', options: ['file', 'string', 'qr'], default: 'file' })

/** @throws usage for the forms that this version does not have */
export function onlyFile(form: string): void {
  if (form !== 'file') throw new SottoError('usage', 'string and qr come in a later version; use --form file')
}

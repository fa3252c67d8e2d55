import { writePrivately } from '../keys/key-file.js'
import type { Access, Params } from './access.js'
import { Pieces } from './proof/pieces.js'

export interface ExportRequest {
  readonly access: Access
  readonly selection: Params<'log.export'>
  readonly signal: AbortSignal
}

/** An export (SPEC § 4.9) as it comes; whoever takes it sets the pace. @throws whatever the method throws */
export function exportedBytes({ access, selection, signal }: ExportRequest): AsyncIterable<Uint8Array> {
  const pieces = new Pieces()
  const onEvent = (event: unknown) => {
    // Events are the daemon's own, of the shape of the method.
    const { bytes } = event as { bytes: string }
    pieces.push(Buffer.from(bytes, 'base64'))
  }
  access.call('log.export', selection, { signal, onEvent, room: () => pieces.room() }).then(
    () => pieces.end(),
    (error: unknown) => pieces.end(error as Error),
  )
  return pieces
}

/** Into a file of mode 0600, whole or not at all. @throws file-exists unless `overwrite`; file-failed */
export function exportToFile(request: ExportRequest, file: string, overwrite: boolean): Promise<void> {
  return writePrivately(file, exportedBytes(request), { overwrite })
}

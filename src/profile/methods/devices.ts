import { isAbsolute } from 'node:path'
import * as v from 'valibot'
import { modeOf } from '../../net/gate/gate.js'
import { selfOf } from '../decisions/context.js'
import { readDeviceId } from '../device/device-file.js'
import { exportBundle } from '../device/export-bundle.js'
import { listDevices } from '../device/list-devices.js'
import { Text, method } from './method.js'

const MAX_PATH_CHARACTERS = 4096

/** The process that has the log open writes the file: a bundle does not pass the local socket. @throws file-exists, file-failed */
export const deviceExport = method(
  v.object({
    out: v.pipe(Text(MAX_PATH_CHARACTERS), v.check(isAbsolute)),
    overwrite: v.optional(v.boolean(), false),
  }),
  ({ host }, { out, overwrite }) => exportBundle(host.profile, out, overwrite),
)

export const deviceList = method(v.object({}), async ({ host, view }) => {
  const { store, paths } = host.profile
  return { devices: await listDevices(store, selfOf(view), await readDeviceId(paths)) }
})

export const firewallMode = method(v.object({}), ({ view }) => ({ mode: modeOf(view) }))

import { existsSync } from 'node:fs'
import { SottoError } from '../foundation/errors.js'
import { finishSwap } from './device/swap-log.js'
import type { ProfilePaths } from './paths.js'

/** What is in a profile's directory: nothing, a log without its login file, or both. */
export type Lodging = 'none' | 'logged-out' | 'ready'

export function lodgingOf(paths: ProfilePaths): Lodging {
  finishSwap(paths)
  if (!existsSync(paths.log)) return 'none'
  return existsSync(paths.login) ? 'ready' : 'logged-out'
}

/** @throws no-profile, logged-out */
export function mustBeReady(paths: ProfilePaths): void {
  const lodging = lodgingOf(paths)
  if (lodging === 'none') throw new SottoError('no-profile')
  if (lodging === 'logged-out') throw new SottoError('logged-out')
}

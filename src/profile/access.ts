import { isDiskFull } from '../foundation/system-trouble.js'
import type { Identity } from '../keys/identity.js'
import type { MethodName, Methods, Result } from './methods/index.js'
import type * as v from 'valibot'
import type { ReadingProgress } from './open.js'
import type { ProfilePaths } from './paths.js'
import { type RpcClient, connectRpc } from './rpc/client.js'
import type { Host } from './host.js'
import { mustBeReady } from './lodging.js'

/** A command names at most 1,024 messages forgotten that have disappeared by now: a moment's work. */
const EXPIRED_FACTS_A_COMMAND = 4

export type Params<M extends MethodName> = v.InferInput<Methods[M]['params']>

export interface CallOptions {
  readonly onEvent?: (event: unknown) => void
  readonly signal?: AbortSignal
  /** For events of any length: no more of them come until it resolves. */
  readonly room?: () => Promise<void>
}

/** One way to a profile's methods, whoever has the profile open. */
export interface Access {
  readonly daemon: boolean
  /** The disk is full: everything can be read, and nothing is kept. */
  readonly readOnly: boolean
  call<M extends MethodName>(name: M, params: Params<M>, options?: CallOptions): Promise<Result<M>>
  close(): Promise<void>
}

export interface AccessOptions {
  readonly paths: ProfilePaths
  /** Asked only when no daemon runs. */
  passphrase(): Promise<string>
  readonly onProgress?: ReadingProgress
}

/**
 * Through the daemon if one runs, else by opening the profile in this process.
 * @throws no-profile, logged-out, wrong-passphrase, profile-busy, log-corrupt
 */
export async function openAccess(options: AccessOptions): Promise<Access> {
  mustBeReady(options.paths)
  const client = await connectRpc(options.paths.socket)
  if (client !== null) return overSocket(client)
  const { openKeyFile } = await import('./unlock.js')
  const identity = await openKeyFile(options.paths.login, () => options.passphrase())
  return openHere(options, identity)
}

/** @returns null when no daemon runs */
export async function daemonAccess(paths: ProfilePaths): Promise<Access | null> {
  const client = await connectRpc(paths.socket)
  return client === null ? null : overSocket(client)
}

/** In this process, with keys that are open already; they are wiped when it closes. */
export async function openHere(
  options: Omit<AccessOptions, 'passphrase'>,
  identity: Identity,
): Promise<Access> {
  const [{ openProfile, openToRead }, { Host }, { dispatch }] = await Promise.all([
    import('./open.js'),
    import('./host.js'),
    import('./dispatch.js'),
  ])
  const { paths, onProgress } = options
  const opening = { paths, identity, ...(onProgress && { onProgress }) }
  const profile = await openProfile(opening).catch((error: unknown) => {
    if (isDiskFull(error)) return openToRead(opening)
    throw error
  })
  const host: Host = new Host(profile)
  // Some of what has disappeared by now is erased when the command is through; a daemon erases all of it.
  await host.forgetting.expire(EXPIRED_FACTS_A_COMMAND).catch(async (error: unknown) => {
    // What has disappeared is not shown either way.
    if (isDiskFull(error)) return
    await host.close()
    throw error
  })
  const never = new AbortController().signal
  return {
    daemon: false,
    readOnly: profile.readOnly,
    call: (name, params, { onEvent = () => undefined, signal = never, room } = {}) =>
      dispatch(host, name, params, onEvent, signal, room) as never,
    close: () => host.close(),
  }
}

function overSocket(client: RpcClient): Access {
  return {
    daemon: true,
    readOnly: false,
    call: (name, params, call = {}) => client.call(name, params, call) as never,
    close: () => {
      client.close()
      return Promise.resolve()
    },
  }
}

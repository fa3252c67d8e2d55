import { mkdir } from 'node:fs/promises'
import { FactStore } from '../../src/events/store/fact-store.js'
import { nodeFileSystem } from '../../src/events/file-system/node.js'
import type { UserId } from '../../src/events/vocabulary/facts.js'
import { systemRng } from '../../src/foundation/rng.js'
import type { Identity } from '../../src/keys/identity.js'
import { createProfile } from '../../src/profile/create.js'
import { openProfile } from '../../src/profile/open.js'
import { type ProfilePaths, profilePaths } from '../../src/profile/paths.js'
import { fixtureIdentity } from '../../test/fixtures/identities.js'
import { type Chapter, befriend, conversation, newFriends } from './history.js'

export const PASSPHRASE = 'a passphrase for the benchmark'

export interface MadeProfile {
  readonly paths: ProfilePaths
  readonly friends: readonly UserId[]
  readonly facts: number
}

export function benchIdentity(): Identity {
  return fixtureIdentity(0)
}

export function benchPaths(directory: string): ProfilePaths {
  return profilePaths(directory, 'default')
}

/** A real profile with so many messages in its log, and projections that were closed properly. */
export async function makeProfile(directory: string, messages: number): Promise<MadeProfile> {
  await mkdir(directory, { recursive: true })
  const paths = benchPaths(directory)
  const identity = benchIdentity()
  const card = { nickname: 'alice', avatar: null, origin: 'imported', passphrase: PASSPHRASE } as const
  await createProfile({ paths, identity, ...card })
  const friends = newFriends()
  const facts = await fillLog(paths, friends, messages)
  const profile = await openProfile({ paths, identity: benchIdentity() })
  await profile.close()
  return { paths, friends, facts }
}

async function fillLog(paths: ProfilePaths, friends: readonly UserId[], messages: number): Promise<number> {
  const { root, address: owner } = benchIdentity()
  const store = await FactStore.open({
    directory: paths.log,
    fs: nodeFileSystem,
    root,
    owner,
    rng: systemRng,
  })
  await append(store, befriend(friends))
  let waiting: Promise<unknown>[] = []
  for (const chapter of conversation(friends, messages)) {
    waiting.push(append(store, chapter))
    if (waiting.length < APPENDS_AT_ONCE) continue
    await Promise.all(waiting)
    waiting = []
  }
  await Promise.all(waiting)
  const { seq } = store.head
  await store.close()
  return seq
}

const APPENDS_AT_ONCE = 512

function append(store: FactStore, { facts, at }: Chapter): Promise<unknown> {
  return store.append(facts, at)
}

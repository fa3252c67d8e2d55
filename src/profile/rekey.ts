import { fact } from './decisions/context.js'
import type { Profile } from './profile.js'

type Rekeyed = Pick<Profile, 'store' | 'append'>

/** The log under a new key, and the fact that says so. @throws as Log.rekey */
export async function rekeyLog(profile: Rekeyed): Promise<{ generation: number }> {
  return said(profile, await profile.store.rekey())
}

/** What a crash cut short is finished by whoever has the profile open next, and has the time. */
export async function finishRekey(profile: Rekeyed): Promise<void> {
  const rekeyed = await profile.store.finishRekey()
  if (rekeyed !== null) await said(profile, rekeyed)
}

async function said(
  profile: Rekeyed,
  { generation }: { generation: number },
): Promise<{ generation: number }> {
  await profile.append([fact('LogKeyRotated', { generation })])
  return { generation }
}

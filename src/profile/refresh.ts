import type { Host } from './host.js'
import { readSetting } from './settings.js'

/** Asks every friend's status now and every refresh.interval seconds. @returns how to stop */
export function refreshEveryone(host: Host): () => void {
  const ask = async () => {
    const net = await host.net()
    for (const { id, state } of host.profile.view.contacts()) {
      if (state === 'friend') await net.command({ kind: 'check', who: id }).catch(() => undefined)
    }
  }
  let timer: NodeJS.Timeout | undefined
  const again = () => {
    // Read each time: the setting may change while it runs.
    const seconds = readSetting(host.profile.view, 'refresh.interval')
    if (seconds > 0)
      timer = setTimeout(
        () =>
          void ask()
            .catch(() => undefined)
            .finally(again),
        seconds * 1000,
      )
  }
  void ask().catch(() => undefined)
  again()
  return () => clearTimeout(timer)
}

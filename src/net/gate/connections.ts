import type { Endpoint } from '../../events/vocabulary/facts.js'

/** A socket of this process, as the system itself reports it. */
export interface OwnConnection {
  readonly protocol: 'tcp' | 'udp'
  readonly local: Endpoint
  /** Null for a listener or an unconnected socket. */
  readonly remote: Endpoint | null
  /** The policy knows why it is there. */
  readonly listed: boolean
}

export type ConnectionReport =
  | { readonly available: false; readonly reason: string }
  | { readonly available: true; readonly connections: readonly OwnConnection[] }

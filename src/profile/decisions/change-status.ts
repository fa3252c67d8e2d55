import type { Fact } from '../../events/vocabulary/facts.js'
import { type Deciding, fact, selfOf } from './context.js'
import { mustSpeak } from './must-speak.js'

/** Going online or offline by hand (PRE-6); where we listen stays as it was. @throws superseded */
export function changeStatus({ view }: Deciding, status: 'online' | 'offline'): Fact[] {
  if (status === 'online') mustSpeak(view)
  const self = selfOf(view)
  return self.status === status ? [] : [fact('OwnStatusChanged', { status, endpoints: self.endpoints })]
}

import { IncomingMessage } from 'node:http'

/** What a request proved; null for every stranger. Called once for each request, whatever it looks like. */
export type Examine<Proved> = (request: IncomingMessage) => Proved | null

interface Upgradable {
  upgrade: boolean | null
}

/**
 * A request class that lets Node's HTTP server see an `Upgrade` only where a proof stands behind it.
 *
 * The server decides by reading `request.upgrade`, after the headers are complete and before anything is answered. For
 * a stranger it reads false, which is what it reads on a server without an `upgrade` listener: the request goes the
 * very same way through the very same code, so there is nothing left to imitate. (Answering through a second server,
 * as others do, must give the bytes back by hand and has two known tells.)
 *
 * Every request is examined, proof or not, and so costs the same time.
 */
export function hiddenUpgrade<Proved extends object>(
  examine: Examine<Proved>,
): { readonly Request: typeof IncomingMessage; proved(request: IncomingMessage): Proved | undefined } {
  const asked = new WeakMap<IncomingMessage, boolean>()
  const found = new WeakMap<IncomingMessage, Proved | null>()

  const decide = (request: IncomingMessage): boolean => {
    // Until the headers are there, Node has put nothing into the request that could be examined.
    if (typeof request.method !== 'string') return false
    let result = found.get(request)
    if (result === undefined) {
      result = examine(request)
      found.set(request, result)
    }
    // CONNECT is no upgrade of ours: it goes on as Node has it.
    return asked.get(request) === true && (request.method === 'CONNECT' || result !== null)
  }

  class Request extends IncomingMessage {}
  Object.defineProperty(Request.prototype, 'upgrade', {
    configurable: true,
    get(this: IncomingMessage): boolean {
      return decide(this)
    },
    set(this: IncomingMessage & Upgradable, value: boolean | null) {
      asked.set(this, value === true)
    },
  })
  return { Request, proved: (request) => found.get(request) ?? undefined }
}

import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Rng } from '../../foundation/rng.js'
import { buildSite, type Page, type Site } from './pages.js'

/** As long as a proof (SPEC § 6.2), so that a caller's cookie is like the one every visitor is given. */
const SESSION_BYTES = 72
const READ_METHODS = new Set(['GET', 'HEAD'])

/** The listener of a small web site: pages, conditional requests, a session cookie, 404 and 405. */
export function siteListener(seed: Uint8Array, rng: Rng): RequestListener {
  const site = buildSite(seed)
  return (request, response) => {
    if (!READ_METHODS.has(request.method ?? '')) {
      refuseMethod(response)
      return
    }
    const page = site.pages.get(pathOf(request))
    if (page === undefined) respond(request, response, 404, site.notFound)
    else serve(site, page, request, response, rng)
  }
}

function serve(site: Site, page: Page, request: IncomingMessage, response: ServerResponse, rng: Rng): void {
  response.setHeader('Cache-Control', site.cacheControl)
  response.setHeader('ETag', page.etag)
  response.setHeader('Last-Modified', page.lastModified.toUTCString())
  if (page.type.startsWith('text/html') && !hasSession(request)) {
    const sid = rng.bytes(SESSION_BYTES).toString('base64url')
    response.setHeader('Set-Cookie', `sid=${sid}; Path=/; HttpOnly; SameSite=Lax`)
  }
  if (isFresh(request, page)) response.writeHead(304).end()
  else respond(request, response, 200, page)
}

function respond(request: IncomingMessage, response: ServerResponse, status: number, page: Page): void {
  response.writeHead(status, { 'Content-Type': page.type, 'Content-Length': page.body.length })
  response.end(request.method === 'HEAD' ? undefined : page.body)
}

function refuseMethod(response: ServerResponse): void {
  response.writeHead(405, { Allow: 'GET, HEAD', 'Content-Length': 0 }).end()
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').split('?', 1)[0] ?? ''
}

function hasSession(request: IncomingMessage): boolean {
  return /(?:^|;\s*)sid=/.test(request.headers.cookie ?? '')
}

/** RFC 9110 § 13.2.2: If-None-Match counts alone when it is there. */
function isFresh(request: IncomingMessage, page: Page): boolean {
  const tags = request.headers['if-none-match']
  if (tags !== undefined) {
    return tags === '*' || tags.split(',').some((tag) => tag.trim().replace(/^W\//, '') === page.etag)
  }
  const since = Date.parse(request.headers['if-modified-since'] ?? '')
  return Math.floor(page.lastModified.getTime() / 1000) * 1000 <= since
}

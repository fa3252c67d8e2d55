import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

/** The peers' own types are not installed with the project: each store says what it uses of its peer. */
export function requirePeer(name: string): unknown {
  return require(name)
}

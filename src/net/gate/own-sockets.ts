import { readdir, readFile, readlink } from 'node:fs/promises'
import { plainIp, type HostPort } from './address.js'

/** A socket of this process as the kernel lists it. */
export interface SystemSocket {
  readonly protocol: 'tcp' | 'udp'
  readonly local: HostPort
  readonly remote: HostPort | null
}

const TABLES = [
  { file: '/proc/self/net/tcp', protocol: 'tcp' },
  { file: '/proc/self/net/tcp6', protocol: 'tcp' },
  { file: '/proc/self/net/udp', protocol: 'udp' },
  { file: '/proc/self/net/udp6', protocol: 'udp' },
] as const
/** Columns of proc_net_tcp(5), after splitting at spaces. */
const COLUMN = { local: 1, remote: 2, inode: 9 } as const
const WORD_BYTES = 4

/** Null where the system does not list a process's sockets (anything but Linux). */
export async function ownSockets(): Promise<SystemSocket[] | null> {
  const inodes = await ownInodes()
  if (inodes === null) return null
  const sockets: SystemSocket[] = []
  for (const { file, protocol } of TABLES) {
    const table = await readFile(file, 'utf8').catch(() => '')
    for (const line of table.split('\n').slice(1)) {
      const socket = parseLine(line, protocol, inodes)
      if (socket !== null) sockets.push(socket)
    }
  }
  return sockets
}

async function ownInodes(): Promise<Set<string> | null> {
  const descriptors = await readdir('/proc/self/fd').catch(() => null)
  if (descriptors === null) return null
  const links = await Promise.all(descriptors.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')))
  return new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []))
}

function parseLine(line: string, protocol: 'tcp' | 'udp', inodes: Set<string>): SystemSocket | null {
  const columns = line.trim().split(/\s+/)
  if (!inodes.has(columns[COLUMN.inode] ?? '')) return null
  const local = parsePlace(columns[COLUMN.local] ?? '')
  const remote = parsePlace(columns[COLUMN.remote] ?? '')
  if (local === null) return null
  return { protocol, local, remote: remote?.port === 0 ? null : remote }
}

/** `0100007F:1F90`: words of four bytes in the machine's order (little-endian on all that Node runs on), port. */
export function parsePlace(text: string): HostPort | null {
  const match = /^([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})$/i.exec(text)
  if (match === null) return null
  const [, hex = '', port = ''] = match
  const bytes = Buffer.from(hex, 'hex')
  for (let at = 0; at < bytes.length; at += WORD_BYTES) bytes.subarray(at, at + WORD_BYTES).reverse()
  const host =
    bytes.length === WORD_BYTES ? bytes.join('.') : (bytes.toString('hex').match(/..../g) ?? []).join(':')
  const plain = plainIp(host)
  return plain === null ? null : { host: plain, port: parseInt(port, 16) }
}

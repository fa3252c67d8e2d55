import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { plainNode } from './plain-node.js'

const PRIVATE_DIRECTORY = 0o700
const PRIVATE_FILE = 0o600

/** What a finished command left behind. */
export interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  /** stdout as JSON; undefined when it is none. */
  readonly json: unknown
}

/** A command under way. */
export interface Begun {
  readonly child: ChildProcess
  readonly ended: Promise<Outcome>
}

/** A command that stays: its first line said that it is ready. */
export interface Running extends Begun {
  readonly ready: unknown
}

export interface RunOptions {
  readonly stdin?: string
  readonly env?: Readonly<Record<string, string>>
  /** stderr as it comes. */
  readonly onTalk?: (text: string) => void
}

/** A computer of its own as far as sotto can tell: own data directory, own sockets, own passphrase file. */
export class Machine {
  readonly directory: string
  readonly #script = join(rootDirectory(), 'bin', 'run.js')
  readonly #env: NodeJS.ProcessEnv
  readonly #children = new Set<ChildProcess>()

  constructor(directory: string, passphrase: string) {
    this.directory = directory
    const sockets = join(directory, 'run')
    mkdirSync(sockets, { recursive: true, mode: PRIVATE_DIRECTORY })
    const passphraseFile = join(directory, 'passphrase')
    writeFileSync(passphraseFile, `${passphrase}\n`, { mode: PRIVATE_FILE })
    this.#env = {
      PATH: process.env['PATH'],
      HOME: directory,
      SOTTO_DATA_DIR: this.data,
      SOTTO_PASSPHRASE_FILE: passphraseFile,
      XDG_RUNTIME_DIR: sockets,
      NO_COLOR: '1',
    }
  }

  get data(): string {
    return join(this.directory, 'data')
  }

  /** Runs `sotto …` to its end. */
  run(argv: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    const { child, ended } = this.begin(argv, options)
    child.stdin?.end(options.stdin ?? '')
    return ended
  }

  /** Starts `sotto …` and lets it run; its stdin stays open. */
  begin(argv: readonly string[], options: RunOptions = {}): Begun {
    const child = this.#spawn(argv, options)
    return { child, ended: outcomeOf(child, options) }
  }

  /** Starts `sotto …` and waits for its first line, which is JSON. Rejects when it ends before. */
  async start(argv: readonly string[], options: RunOptions = {}): Promise<Running> {
    const { child, ended } = this.begin(argv, options)
    const first = new Promise<string>((resolve) => {
      if (child.stdout !== null) createInterface({ input: child.stdout }).once('line', resolve)
    })
    const early = ended.then(({ code, stdout, stderr }) => {
      throw new Error(`sotto ${argv.join(' ')} ended with ${code}: ${stdout}${stderr}`)
    })
    // Once it is ready, its end is the caller's matter.
    early.catch(() => undefined)
    return { child, ready: JSON.parse(await Promise.race([first, early])), ended }
  }

  /** Ends whatever still runs of what was started here. */
  async close(): Promise<void> {
    const open = [...this.#children].filter((child) => child.exitCode === null && child.signalCode === null)
    const ends = open.map((child) => new Promise((resolve) => child.once('exit', resolve)))
    for (const child of open) child.kill('SIGKILL')
    await Promise.all(ends)
  }

  #spawn(argv: readonly string[], options: RunOptions): ChildProcess {
    const env = { ...this.#env, ...options.env }
    const { command, before } = plainNode()
    const child = spawn(command, [...before, this.#script, ...argv], { env, stdio: 'pipe' })
    child.stdin.on('error', () => undefined)
    this.#children.add(child)
    child.once('exit', () => this.#children.delete(child))
    return child
  }
}

async function outcomeOf(child: ChildProcess, options: RunOptions): Promise<Outcome> {
  let [stdout, stderr] = ['', '']
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    options.onTalk?.(text)
  })
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, stdout, stderr, json: parsed(stdout) }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Where package.json is, from the sources and from dist alike. */
export function rootDirectory(): string {
  let directory = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(directory, 'package.json'))) directory = dirname(directory)
  return directory
}

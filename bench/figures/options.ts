/** `--json`: a line a figure. `--quick`: less of everything, to see that it runs; its figures are not to be quoted. */
export interface BenchOptions {
  readonly json: boolean
  readonly quick: boolean
}

export function benchOptions(args: readonly string[] = process.argv.slice(2)): BenchOptions {
  const unknown = args.filter((arg) => arg !== '--json' && arg !== '--quick')
  if (unknown.length > 0) throw new Error(`unknown option ${unknown.join(' ')}: there are --json and --quick`)
  return { json: args.includes('--json'), quick: args.includes('--quick') }
}

/** Talk goes to stderr: stdout is the figures. */
export function tell(what: string): void {
  process.stderr.write(`${what}\n`)
}

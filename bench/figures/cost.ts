/** What a piece of work took of this process, all of its threads together. */
export interface Cost {
  /** User and system, in seconds. */
  readonly cpu: number
  /** In seconds. */
  readonly wall: number
}

export async function costOf(work: () => Promise<void>): Promise<Cost> {
  const start = process.hrtime.bigint()
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return { cpu: (user + system) / 1e6, wall: Number(process.hrtime.bigint() - start) / 1e9 }
}

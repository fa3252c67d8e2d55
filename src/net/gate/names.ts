export type Resolve = (name: string) => Promise<readonly string[]>

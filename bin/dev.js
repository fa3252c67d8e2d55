#!/usr/bin/env -S node --import tsx
// Runs the source as it is; slower to start, nothing to build.
import { main } from '../src/terminal/main.ts'

await main(import.meta.url, { development: true })

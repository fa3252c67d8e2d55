#!/usr/bin/env -S node --import tsx
// Runs the source as it is; slower to start, nothing to build, and nothing of what was built is used.
import { Plugin, settings } from '@oclif/core'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { main } from '../src/terminal/main.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const pjson = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
pjson.oclif.commands.target = './src/commands'
pjson.oclif.hooks.command_not_found = './src/terminal/unknown-command.ts'
// oclif would look for the sources by itself, and mix them with what was built.
settings.enableAutoTranspile = false

const plugin = new Plugin({ root, pjson, isRoot: true, ignoreManifest: true })
await plugin.load()
await main(import.meta.url, { pjson, plugins: new Map([[plugin.name, plugin]]) })

import { Flags } from '@oclif/core'

/** For commands that print messages: what chat show and chat forget want to be given. */
export const idsFlag = () => Flags.boolean({ description: 'the id of each message before it' })

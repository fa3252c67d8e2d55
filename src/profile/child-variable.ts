/** Set for a daemon that another process put in the background: its passphrase comes by stdin, never by argv. */
export const CHILD_VARIABLE = 'SOTTO_DAEMON_CHILD'

/**
 * Text of other people for a terminal: control characters (escape sequences among them) and characters that turn the
 * direction of writing are shown as U+FFFD, so that nobody draws on another's screen. Line feeds and tabs stay.
 */
export function safeText(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]|\p{Bidi_Control}|[\u2028\u2029\ufff9-\ufffb]/gu, '\ufffd')
}

/** The same on one line. */
export function safeLine(text: string): string {
  return safeText(text).replace(/[\n\t]+/g, ' ')
}

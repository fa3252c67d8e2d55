/** Raw in JSON, these reach a terminal as escape sequences or turn the direction of writing (as in safe-text.ts). */
const DRAWS = /[\u007f-\u009f\u2028\u2029\ufff9-\ufffb]|\p{Bidi_Control}/gu

/** JSON on one line that says the same and draws nothing: what could is written as \uXXXX. */
export function safeJson(value: unknown): string {
  const escape = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  return JSON.stringify(value).replace(DRAWS, escape)
}

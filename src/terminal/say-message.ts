import type { MessageAnswer } from '../profile/answers.js'
import { safeLine, safeText } from './safe-text.js'
import { sayTime } from './say-time.js'

/** One message for a person: when, who, how far it came, the text with its own lines indented. */
export function sayMessage({ at, direction, from, state, text }: MessageAnswer): string {
  const mark = direction === 'out' ? ` (${state})` : ''
  const body = safeText(text).replaceAll('\n', '\n  ')
  return `${sayTime(at)} ${safeLine(from.nickname)}${mark}: ${body}`
}

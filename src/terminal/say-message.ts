import type { MessageAnswer } from '../profile/answers.js'
import { safeLine, safeText } from './safe-text.js'
import { sayTime } from './say-time.js'

/** One message for a person: when, who, how far it came, the text with its own lines indented; its ID first if wanted. */
export function sayMessage(
  { messageId, at, direction, from, state, text }: MessageAnswer,
  withId = false,
): string {
  const mark = direction === 'out' ? ` (${state})` : ''
  const body = safeText(text).replaceAll('\n', '\n  ')
  return `${withId ? `${safeLine(messageId)} ` : ''}${sayTime(at)} ${safeLine(from.nickname)}${mark}: ${body}`
}

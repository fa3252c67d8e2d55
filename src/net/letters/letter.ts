export { messageIdOf } from './message-id.js'
export { sealLetter, type LetterKeys, type LetterOrder } from './seal-letter.js'
export {
  examineLetter,
  finishLetter,
  LETTER_LIFE_MS,
  type Examined,
  type LetterArrival,
  type LetterOutcome,
  type LetterRefusal,
  type OpenedMessage,
  type PendingLetter,
} from './open-letter.js'
export { LetterCache } from './letter-cache.js'
export { type Message } from './plain.js'

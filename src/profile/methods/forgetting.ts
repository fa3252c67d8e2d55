import * as v from 'valibot'
import { forgetMessage } from '../decisions/forget-messages.js'
import { setDisappearing } from '../decisions/set-disappearing.js'
import { isDuration, sayDuration } from '../duration.js'
import { Text, Who, method, person } from './method.js'

const MAX_ID_CHARACTERS = 64

/** Answered when body and salt are off the disk. */
export const forget = method(
  v.object({ messageId: Text(MAX_ID_CHARACTERS) }),
  async ({ host }, { messageId }) => {
    await host.profile.change((deciding) => forgetMessage(deciding, messageId))
    await host.forgetting.erase()
    return { messageId, forgotten: true }
  },
)

const AfterMs = v.pipe(v.number(), v.check(isDuration))

/** How many messages would disappear at once. */
export const overdue = method(v.object({ ...Who.entries, afterMs: AfterMs }), (call, { who, afterMs }) => {
  const { id } = person(call, who)
  return { messages: call.view.overdue(id, call.now - afterMs) }
})

/** What is overdue already is gone when it is answered. */
export const disappear = method(
  v.object({ ...Who.entries, afterMs: v.nullable(AfterMs) }),
  async (call, { who, afterMs }) => {
    const { id } = person(call, who)
    const { profile, forgetting } = call.host
    await profile.change((deciding) => setDisappearing(deciding, id, afterMs))
    await forgetting.expire()
    await forgetting.erase()
    return { id, after: sayDuration(call.view.disappearsAfter(id)) }
  },
)

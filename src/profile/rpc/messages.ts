import * as v from 'valibot'
import { SottoError } from '../../foundation/errors.js'

const MAX_METHOD_CHARACTERS = 64
const Id = v.pipe(v.number(), v.safeInteger(), v.minValue(0))

const RequestSchema = v.object({
  id: Id,
  method: v.pipe(v.string(), v.maxLength(MAX_METHOD_CHARACTERS)),
  params: v.optional(v.unknown()),
})

const ResponseSchema = v.union([
  v.object({ id: Id, error: v.object({ code: v.string(), message: v.string(), hint: v.string() }) }),
  v.object({ id: Id, event: v.unknown() }),
  v.object({ id: Id, result: v.unknown() }),
])

/** SPEC § 9, one JSON object a line. */
export type Request = v.InferOutput<typeof RequestSchema>
export type Response = v.InferOutput<typeof ResponseSchema>

/** @throws malformed */
export function parseRequest(line: string): Request {
  return parse(RequestSchema, line)
}

/** @throws malformed */
export function parseResponse(line: string): Response {
  return parse(ResponseSchema, line)
}

function parse<S extends v.GenericSchema>(schema: S, line: string): v.InferOutput<S> {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (cause) {
    throw new SottoError('malformed', 'not a line of JSON', { cause })
  }
  const result = v.safeParse(schema, value)
  if (!result.success) throw new SottoError('malformed', 'not a line of the local protocol')
  return result.output
}

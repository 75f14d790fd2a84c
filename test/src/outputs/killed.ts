/** Restores outputs, to be killed on the way. Arguments: project folder, result as JSON, patterns. */
import { join } from 'node:path'
import { openLocalCache } from '../../../cache/local.ts'
import type { ActionResult } from '../../../graph/types.ts'
import { projectOutputs } from '../../../src/outputs/outputs.ts'

const [directory = '', result = '', ...patterns] = process.argv.slice(2)
const cache = openLocalCache(join(directory, '.stagecraft', 'cache'))
const restored = await projectOutputs(directory, cache.content).restore(patterns, JSON.parse(result) as ActionResult)
process.stdout.write(JSON.stringify(restored))

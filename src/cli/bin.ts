/** What `bin/stagecraft.js` starts. */
import * as nodeModule from 'node:module'
import { runProcess } from './process.ts'

// Node 22.1 and later keep compiled code between runs; Node 20 does not know the function.
const { enableCompileCache } = nodeModule as { enableCompileCache?: () => unknown }
enableCompileCache?.()

await runProcess()

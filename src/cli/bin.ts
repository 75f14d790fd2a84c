/** What `bin/stagecraft.js` loads when there is something to do. */
import { runProcess } from './process.ts'

/** Settles when the program has answered. */
export const finished = runProcess()

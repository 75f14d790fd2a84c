import { z } from 'zod'

/** What a rollout changed: enough to take it back as long as the release is not finished. Part of its result. */
export const swap = z.lazy(() =>
  z.strictObject({
    /** Ids of containers it started. */
    made: z.array(z.string()),
    /** Ids of containers of another definition that it stopped and kept. */
    stopped: z.array(z.string()),
    /** How many of the wanted definition were too many, and are gone. */
    surplus: z.number().int().nonnegative(),
  }),
)
export type Swap = z.infer<typeof swap>

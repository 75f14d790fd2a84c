/** Every kind of task. A new one is one file and one line here. */
import { build } from './build.ts'
import { edge } from './edge.ts'
import { exec } from './exec.ts'
import { finalize } from './finalize.ts'
import { health } from './health.ts'
import { hook } from './hook.ts'
import type { TaskKind } from './kind.ts'
import { migrateAlone, migratePost, migratePre } from './migrate.ts'
import { pin } from './pin.ts'
import { proxy } from './proxy.ts'
import { push } from './push.ts'
import { render } from './render.ts'
import { rollout } from './rollout.ts'
import { stack } from './stack.ts'
import { swarm } from './swarm.ts'
import { transfer } from './transfer.ts'
import { upload } from './upload.ts'

const all: readonly TaskKind[] = [
  ...[
    exec,
    build,
    push,
    pin,
    transfer,
    migratePre,
    render,
    stack,
    upload,
    swarm,
    proxy,
    rollout,
    edge,
    health,
    migratePost,
    finalize,
    hook,
    migrateAlone,
  ],
]

export const kinds: ReadonlyMap<string, TaskKind> = new Map(all.map((kind) => [kind.name, kind]))

/** Names that mean something without anybody having declared them. */

/** Built-in target → kinds of the tasks it stands for; all they depend on comes along. */
export const builtInTargets: Readonly<Record<string, readonly string[]>> = {
  build: ['build'],
  push: ['push', 'transfer'],
  render: ['render'],
  migrate: ['migrate_pre'],
  deploy: [
    'build',
    'push',
    'transfer',
    'render',
    'stack',
    'upload',
    'swarm',
    'migrate_pre',
    'rollout',
    'health',
    'migrate_post',
    'finalize',
    'hook',
  ],
}

/** Kinds whose tasks can be named by id, `build:api`. */
export const builtInKinds: readonly string[] = [...new Set(Object.values(builtInTargets).flat())]

/** Built-in targets that change something outside this machine, and so can be told what must be done before. */
export const outwardTargets: readonly string[] = ['push', 'migrate', 'deploy']

/** Pools of built-in kinds, which tasks of the user's may share and `pools` may widen or narrow. */
export const builtInPools: readonly string[] = ['database', 'default', 'docker', 'host', 'registry']

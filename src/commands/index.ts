import type { CommandTable } from '../cli/command-table.ts'

/**
 * Every command. Summaries are repeated here so that `stagecraft --help` loads none of them; a test compares the two.
 * A command of two words is a member of a group: `releases list`.
 */
export const commands: CommandTable = {
  build: { summary: 'build images, and push them if asked', group: 'deliver', load: () => import('./build.ts') },
  'cache clear': { summary: 'remove every result and blob in the cache', group: 'other', load: () => import('./cache-clear.ts') },
  'cache prune': {
    summary: 'bring the cache within its limits, or within smaller ones',
    group: 'other',
    load: () => import('./cache-prune.ts'),
  },
  'cache status': {
    summary: 'say where the cache lies, what is in it and what bounds it',
    group: 'other',
    load: () => import('./cache-status.ts'),
  },
  'cache verify': {
    summary: 'read everything in the cache, and remove what is damaged',
    group: 'other',
    load: () => import('./cache-verify.ts'),
  },
  completion: { summary: 'print a completion script for bash, fish or zsh', group: 'other', load: () => import('./completion.ts') },
  'config schema': {
    summary: 'print the JSON Schema of stagecraft.yml, for editors',
    group: 'other',
    load: () => import('./config-schema.ts'),
  },
  'config show': {
    summary: 'show every setting in force, and where it comes from',
    group: 'look',
    load: () => import('./config-show.ts'),
  },
  deploy: { summary: 'bring an environment to the state of this checkout', group: 'deliver', load: () => import('./deploy.ts') },
  doctor: { summary: 'find everything a deploy would trip over, and say what helps', group: 'start', load: () => import('./doctor.ts') },
  exec: { summary: 'run a program in a container of a service', group: 'operate', load: () => import('./exec.ts') },
  explain: {
    summary: 'say what a task is made from, and what changed since it last ran',
    group: 'look',
    load: () => import('./explain.ts'),
  },
  'gov check': {
    summary: 'check that register, spec pages and decision records agree',
    group: 'other',
    load: () => import('./gov-check.ts'),
  },
  graph: { summary: 'draw the task graph', group: 'look', load: () => import('./graph.ts') },
  init: {
    summary: 'write a stagecraft.yml for this project, or check the one that is there',
    group: 'start',
    load: () => import('./init.ts'),
  },
  logs: { summary: 'show what services print, of all hosts in one stream', group: 'look', load: () => import('./logs.ts') },
  maintenance: {
    summary: 'show users a page in place of a service, or the service again',
    group: 'deliver',
    load: () => import('./maintenance.ts'),
  },
  migrate: { summary: 'apply pending migrations: `migrate run` in one word', group: 'deliver', load: () => import('./migrate.ts') },
  'migrate plan': {
    summary: 'show which migrations each database has, and which are pending',
    group: 'look',
    load: () => import('./migrate-plan.ts'),
  },
  'migrate preflight': {
    summary: 'find what pending migrations would lock, rewrite or break',
    group: 'look',
    load: () => import('./migrate-preflight.ts'),
  },
  'migrate run': { summary: 'apply pending migrations, and roll nothing', group: 'deliver', load: () => import('./migrate-run.ts') },
  plan: { summary: 'show what a deploy would do and why, touching nothing', group: 'deliver', load: () => import('./plan.ts') },
  prune: { summary: 'remove from hosts what no kept release needs', group: 'operate', load: () => import('./prune.ts') },
  'releases audit': {
    summary: 'show who did what to an environment, and check the record',
    group: 'look',
    load: () => import('./releases-audit.ts'),
  },
  'releases list': { summary: 'list releases, newest first', group: 'look', load: () => import('./releases-list.ts') },
  'releases show': {
    summary: 'show one release: its phases, images and what went wrong',
    group: 'look',
    load: () => import('./releases-show.ts'),
  },
  restart: { summary: 'restart the containers of services, one after another', group: 'operate', load: () => import('./restart.ts') },
  'releases unlock': {
    summary: 'show who holds an environment, and free it from the dead',
    group: 'other',
    load: () => import('./releases-unlock.ts'),
  },
  rollback: { summary: 'bring an environment back to an earlier release', group: 'deliver', load: () => import('./rollback.ts') },
  run: { summary: 'run targets or single tasks, and all they depend on', group: 'deliver', load: () => import('./run.ts') },
  ssh: { summary: 'open a shell on a host, or run a program there', group: 'operate', load: () => import('./ssh.ts') },
  status: { summary: 'show what runs on every host, and what is not as released', group: 'look', load: () => import('./status.ts') },
  version: { summary: 'print the version', group: 'other', load: () => import('./version.ts') },
  watch: { summary: 'run targets, and again what a saved file touches', group: 'deliver', load: () => import('./watch.ts') },
}

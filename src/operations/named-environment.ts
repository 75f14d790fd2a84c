/** Commands that change something ask for the environment by name: guessing the wrong one does harm. */
import { resolve } from 'node:path'
import { loadConfig } from '../config/load.ts'
import type { App, GlobalOptions } from '../contracts.ts'
import { checkedValue } from '../session/checked-value.ts'
import { noEnvironment } from '../session/choose-environment.ts'

/** @param what cannot be had without: `a restart`. @throws InputError when none was named. */
export async function onlyNamedEnvironment(
  globals: Pick<GlobalOptions, 'config' | 'env'>,
  app: Pick<App, 'cwd'>,
  what: string,
): Promise<void> {
  if (globals.env !== undefined) return
  const names = Object.keys(checkedValue(await loadConfig(resolve(app.cwd, globals.config))).config.environments)
  throw noEnvironment([what], names)
}

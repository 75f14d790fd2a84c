/**
 * Logs of GitHub Actions (https://docs.github.com/actions/reference/workflow-commands-for-github-actions): a block that folds for each
 * task. Programs' lines are text there, whatever they look like: between `::stop-commands::TOKEN` and `::TOKEN::` the runner obeys nothing.
 */
import { randomUUID } from 'node:crypto'

/** @param token unknown to the programs whose lines are shown. */
export function textOnly(lines: readonly string[], token: string): readonly string[] {
  return lines.length === 0 ? [] : [`::stop-commands::${token}`, ...lines, `::${token}::`]
}

/** Lines below a title that can be unfolded. */
export function foldedGroup(title: string, lines: readonly string[], token: string): readonly string[] {
  return [`::group::${escapeData(title)}`, ...textOnly(lines, token), '::endgroup::']
}

export function newToken(): string {
  return `stagecraft-${randomUUID()}`
}

/** One line of our own that quotes somebody else: `##[` is an older form of command, obeyed anywhere in a line. */
export function disarmed(text: string): string {
  return text.replaceAll('##[', '# #[').replace(/^(\s*)::/gm, '$1: :')
}

function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

export function isGitHub(env: Readonly<Record<string, string | undefined>>): boolean {
  return env['GITHUB_ACTIONS'] === 'true'
}

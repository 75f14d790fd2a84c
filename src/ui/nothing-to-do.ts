/** What a run says in which no task had anything to do. The certificate check says it too, so nothing is imported here. */
export function nothingToDo(upToDate: number): string {
  return upToDate === 0 ? 'nothing to do (no tasks)' : `nothing to do (${upToDate} ${upToDate === 1 ? 'task' : 'tasks'} up to date)`
}

/**
 * Ends this process the hard way at the point named by STAGECRAFT_FAULT, as a power cut would: how the tests prove that
 * the next deploy converges from wherever a run stopped. The published bundle defines the variable away.
 */
export function faultPoint(name: string): void {
  if (process.env['STAGECRAFT_FAULT'] === name) process.kill(process.pid, 'SIGKILL')
}

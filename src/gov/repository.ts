/** What the rules look at: texts, names of files, and what the program itself says of its commands. */

export interface Repository {
  /** Texts of `spec/features.yaml`, of pages below `spec/` and of decision records in `docs/adr/`, by path. */
  readonly files: ReadonlyMap<string, string>
  /** Is there such a file? Relative to the repository. */
  readonly exists: (path: string) => boolean
  /** Only in the repository of the program that checks: what pages of commands are compared with. */
  readonly program?: ProgramFacts
}

export interface ProgramFacts {
  readonly commands: readonly CommandFacts[]
  /** Flags that every command has, without dashes. A page need not list them, and may. */
  readonly globalFlags: readonly string[]
  readonly exitCodes: readonly number[]
}

export interface CommandFacts {
  /** `releases list` */
  readonly name: string
  /** Id in the register. */
  readonly feature: string
  /** As a person types them, without dashes: `no-cache`. */
  readonly flags: readonly string[]
}

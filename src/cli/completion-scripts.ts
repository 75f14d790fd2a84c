/** Shells a completion script can be printed for. */
export const shells = ['bash', 'fish', 'zsh'] as const
export type Shell = (typeof shells)[number]

/**
 * Each script hands the words after `stagecraft`, up to the cursor, to `stagecraft __complete --`, and offers what it prints: one
 * candidate a line, with a description behind a tab.
 */
export const completionScripts: Readonly<Record<Shell, string>> = {
  // `_get_comp_words_by_ref` is not everywhere; `=` splits words in bash, so `--env=pr` arrives as three and is joined again.
  bash: `_stagecraft() {
  local line words IFS=$'\\n'
  line="\${COMP_LINE:0:COMP_POINT}"
  IFS=' ' read -r -a words <<< "$line"
  [[ "$line" == *' ' ]] && words+=('')
  local current="\${COMP_WORDS[COMP_CWORD]}" last="\${words[-1]}"
  [[ "$current" == '=' ]] && current=''
  COMPREPLY=()
  while IFS=$'\\t' read -r line _; do
    [[ "$last" == *=* ]] && line="\${line#"\${last%"$current"}"}"
    COMPREPLY+=("$line")
  done < <(stagecraft __complete -- "\${words[@]:1}" 2>/dev/null)
  [[ \${#COMPREPLY[@]} -eq 1 && "\${COMPREPLY[0]}" == *= ]] && compopt -o nospace
  return 0
}
complete -o default -F _stagecraft stagecraft
`,
  zsh: `#compdef stagecraft
_stagecraft() {
  local -a lines
  local line
  for line in "\${(@f)$(stagecraft __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -n "$line" ]] && lines+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  (( \${#lines} )) && _describe 'stagecraft' lines || _files
}
compdef _stagecraft stagecraft
`,
  fish: `function __stagecraft_complete
  set -l words (commandline -opc) (commandline -ct)
  stagecraft __complete -- $words[2..-1] 2>/dev/null
end
complete -c stagecraft -f -a '(__stagecraft_complete)'
`,
}

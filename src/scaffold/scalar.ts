/** Plain where YAML of any version reads it as the same text, quoted otherwise. */
export function scalar(text: string): string {
  const isPlain =
    /^[A-Za-z._/][\w./@:+-]*$/.test(text) && !/:$/.test(text) && !/^(true|false|null|yes|no|on|off|y|n|\.inf|\.nan)$/i.test(text)
  return isPlain && text !== '.' && text !== '..' ? text : JSON.stringify(text)
}

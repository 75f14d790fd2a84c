const listen = 'require("net").createServer().listen(PORT, "127.0.0.1", () => require("fs").writeFileSync("pid", process.pid + "\\n"))'
const server = (port: number) => `'${process.execPath}' -e '${listen.replace('PORT', String(port))}'`

/** Shell lines that start a server on a port somewhere below them; it writes its pid into the file `pid`. */
export const processTrees: Readonly<Record<string, (port: number) => string>> = {
  'the program itself': (port) => `exec ${server(port)}`,
  'a grandchild': (port) => `${server(port)} & wait`,
  'a grandchild that ignores SIGINT and SIGHUP': (port) => `(trap "" INT HUP; ${server(port)}) & wait`,
  'a grandchild in a session of its own': (port) => `setsid ${server(port)} & wait`,
  'a daemon that forked twice': (port) => `(setsid ${server(port)} >/dev/null 2>&1 &) ; sleep 1000`,
}

/** A Compose file for a project that only has a Dockerfile: one service, with its port when the Dockerfile exposes one. Pure. */
export function renderMinimalCompose(dockerfile: string): string {
  const port = Number(/^\s*EXPOSE\s+(\d{1,5})/im.exec(dockerfile)?.[1] ?? Number.NaN)
  const ports = Number.isNaN(port)
    ? ['    # The Dockerfile exposes no port. To publish one:', '    # ports: ["3000-3001:3000"]']
    : [
        '    # A range lets the old and the new container serve side by side while one replaces the other.',
        `    ports: ["${port}-${port + 1}:${port}"]`,
      ]
  return ['services:', '  web:', '    build: .', ...ports, '    restart: unless-stopped', ''].join('\n')
}

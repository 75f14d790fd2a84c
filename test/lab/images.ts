import { createHash } from 'node:crypto'
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { execa } from 'execa'
import type { Certificates } from './certificates.ts'
import type { Credentials } from './credentials.ts'
import { docker, imageExists } from './engine.ts'
import type { Layout } from './layout.ts'
import { postgresDockerfile, postgresEntrypoint } from './postgres-image.ts'
import { registryHas } from './registry.ts'
import { openPostgresRootfs, rootfsImages } from './rootfs.ts'

/** The references, in the lab's registry, of the images that projects can build on. */
export function imageRefs(layout: Layout): Record<Recipe['name'], string> {
  const named = (name: string) => `${layout.registry.address}/lab/${name}:1`
  return { busybox: named('busybox'), caddy: named('caddy'), node: named('node'), postgres: named('postgres') }
}

interface Recipe {
  readonly name: 'busybox' | 'caddy' | 'node' | 'postgres'
  readonly files: Readonly<Record<string, string>>
  /** Brings in what is too large to hold as text. */
  readonly prepare: (context: string) => Promise<unknown>
}

/** Builds the lab's images and pushes them, unless the registry has them as they would be made today. */
export async function publishImages(layout: Layout, certificates: Certificates, credentials: Credentials): Promise<void> {
  for (const recipe of recipes(layout)) {
    const marker = join(layout.dir, 'registry', `${recipe.name}.recipe`)
    const digest = createHash('sha256').update(JSON.stringify(recipe.files)).digest('hex')
    const isPublished = await registryHas(layout, certificates, credentials, `lab/${recipe.name}`, '1')
    if (isPublished && (await readFile(marker, 'utf8').catch(() => '')) === digest) continue
    await publish(layout, recipe)
    await writeFile(marker, digest)
  }
}

export async function removeImages(layout: Layout): Promise<void> {
  for (const ref of Object.values(imageRefs(layout))) if (await imageExists(ref)) await docker(['image', 'rm', '--force', ref])
}

function recipes(layout: Layout): readonly Recipe[] {
  return [
    { name: 'busybox', files: { Dockerfile: busyboxDockerfile, passwd, group }, prepare: copyBusybox },
    { name: 'caddy', files: { Dockerfile: caddyDockerfile, passwd, group }, prepare: copyCaddy },
    {
      name: 'node',
      files: { Dockerfile: nodeDockerfile, passwd, group },
      prepare: (context) => copyProgram('node', process.execPath, context),
    },
    {
      name: 'postgres',
      files: { Dockerfile: postgresDockerfile(rootfsImages.postgres), 'entrypoint.sh': postgresEntrypoint },
      prepare: () => openPostgresRootfs(layout),
    },
  ]
}

async function publish(layout: Layout, recipe: Recipe): Promise<void> {
  const ref = imageRefs(layout)[recipe.name]
  await mkdir(join(layout.dir, 'build'), { recursive: true })
  const context = await mkdtemp(join(layout.dir, 'build', `${recipe.name}-`))
  try {
    for (const [name, text] of Object.entries(recipe.files)) await writeFile(join(context, name), text, { mode: 0o755 })
    await recipe.prepare(context)
    await docker(['buildx', 'build', '--builder', 'default', '--tag', ref, context])
    await docker(['--config', layout.dockerConfigDir, 'push', ref])
  } finally {
    await rm(context, { recursive: true, force: true })
  }
}

async function copyBusybox(context: string): Promise<void> {
  await copyFile('/bin/busybox', join(context, 'busybox'))
}

async function copyCaddy(context: string): Promise<void> {
  await copyProgram('caddy', (await execa('which', ['caddy'])).stdout, context)
}

/** This machine's own, with the libraries it is linked to. */
async function copyProgram(name: string, binary: string, context: string): Promise<void> {
  await copyBusybox(context)
  const { stdout: linked } = await execa('ldd', [binary])
  await copyFile(binary, join(context, name))
  for (const [library] of linked.matchAll(/\/\S+(?= \()/g)) {
    await mkdir(join(context, 'libraries', dirname(library)), { recursive: true })
    await copyFile(library, join(context, 'libraries', library))
  }
}

const passwd = 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/tmp:/bin/false\n'
const group = 'root:x:0:\nnogroup:x:65534:\n'

const programDockerfile = (name: string) => `FROM scratch
COPY busybox /bin/busybox
COPY passwd group /etc/
COPY ${name} /usr/bin/${name}
COPY libraries/ /
RUN ["/bin/busybox", "sh", "-c", "/bin/busybox --install -s /bin && mkdir -p /root /tmp /data && chmod 1777 /tmp /data && chmod 755 /usr/bin/${name} && chmod 644 /etc/passwd /etc/group"]
CMD ["${name}"]
`

const caddyDockerfile = programDockerfile('caddy')
const nodeDockerfile = programDockerfile('node')

const busyboxDockerfile = `FROM scratch
COPY busybox /bin/busybox
COPY passwd group /etc/
RUN ["/bin/busybox", "sh", "-c", "/bin/busybox --install -s /bin && mkdir -p /root /tmp /var/www /usr/bin && chmod 1777 /tmp && ln -s /bin/env /usr/bin/env && chmod 644 /etc/passwd /etc/group"]
CMD ["sh"]
`

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { HeldContainer, HeldImage } from '../../../../src/hosts/engine-stock.ts'
import {
  type EnvironmentStock,
  type HostStock,
  type PruneOptions,
  prunePlan,
  repositoryOf,
} from '../../../../src/operations/prune/decide.ts'

const test = suite('src/operations/prune/decide')

const repository = 'registry:5000/shop/web'
const reference = (digest: string, of = repository) => `${of}@sha256:${digest}`
const image = (digest: string, of = repository, tags: readonly string[] = []): HeldImage => ({
  id: `sha256:id-${digest}`,
  tags,
  digests: [reference(digest, of)],
  bytes: 100,
})
function container(name: string, more: Partial<HeldContainer> & { hash?: string; env?: string } = {}): HeldContainer {
  const { hash = 'new', env = 'prod', ...rest } = more
  const labels = { 'stagecraft.project': 'shop', 'stagecraft.env': env, 'stagecraft.service': 'web', 'stagecraft.hash': hash }
  return { id: name, name, imageId: 'none', isRunning: false, labels, mounts: [], ...rest }
}
const nothing: EnvironmentStock = { directory: '/opt/stagecraft/shop/prod', bundles: [], images: {}, mounted: {}, releases: [] }
const stock = (change: Partial<HostStock>): HostStock => ({
  containers: [],
  images: [],
  own: nothing,
  folders: [],
  others: [],
  pulled: [],
  ...change,
})
const options: PruneOptions = {
  ...{ project: 'shop', environment: 'prod', keep: 2, repositories: [repository], hashes: { web: 'new' } },
  wants: { containers: true, bundles: true, images: true },
}
const gone = (change: Partial<HostStock>, more: Partial<PruneOptions> = {}) => prunePlan(stock(change), { ...options, ...more })
const names = (change: Partial<HostStock>, more: Partial<PruneOptions> = {}) => gone(change, more).images.flatMap((one) => one.names)
const bundles = ['c', 'b', 'a']

test('stopped containers of older releases go; running ones, the current one’s and others’ stay', () => {
  const containers = [
    container('old', { hash: 'old' }),
    container('running-old', { hash: 'old', isRunning: true }),
    container('current'),
    container('stage', { hash: 'old', env: 'stage' }),
    container('foreign', { labels: {} }),
  ]
  assert.equal(
    gone({ containers }).containers.map(({ name }) => name),
    ['old'],
  )
})

test('bundles beyond the kept ones go, the current one never', () => {
  assert.equal(gone({ own: { ...nothing, bundles } }).bundles, ['a'])
  assert.equal(gone({ own: { ...nothing, bundles } }, { keep: 0 }).bundles, ['b', 'a'])
})

test('folders stay that a kept bundle or a container mounts', () => {
  const own = { ...nothing, bundles, mounted: { c: ['1'], b: [], a: ['2', '3', '4'] } }
  const containers = [
    container('x', { isRunning: true, hash: 'old', mounts: ['/opt/stagecraft/shop/prod/files/2/app.conf'] }),
    container('y', { hash: 'old', mounts: ['/opt/stagecraft/shop/prod/files/3'] }),
  ]
  assert.equal(gone({ own, containers, folders: ['1', '2', '3', '4'] }).folders, ['3', '4'], 'that of a container that goes, goes')
  assert.equal(
    gone({ own, containers, folders: ['1', '2', '3', '4'] }, { wants: { containers: false, bundles: true, images: false } }).folders,
    ['4'],
  )
})

const rows: readonly (readonly [string, Partial<HostStock>, readonly string[]])[] = [
  ['an image that nothing needs goes', { images: [image('1')] }, [reference('1')]],
  ['one of a kept bundle stays', { images: [image('1')], own: { ...nothing, bundles, images: { c: [], b: [reference('1')], a: [] } } }, []],
  [
    'one of a bundle that goes, goes',
    { images: [image('1')], own: { ...nothing, bundles, images: { c: [], b: [], a: [reference('1')] } } },
    [reference('1')],
  ],
  ['one of a kept release stays', { images: [image('1')], own: { ...nothing, releases: [[], [reference('1')]] } }, []],
  ['one of an older release goes', { images: [image('1')], own: { ...nothing, releases: [[], [], [reference('1')]] } }, [reference('1')]],
  ['one of another environment’s bundle stays', { images: [image('1')], others: [{ ...nothing, images: { z: [reference('1')] } }] }, []],
  ['one of another project’s release stays', { images: [image('1')], others: [{ ...nothing, releases: [[reference('1')]] }] }, []],
  ['one that any container uses stays', { images: [image('1')], containers: [container('x', { labels: {}, imageId: 'sha256:id-1' })] }, []],
  ['one of somebody else stays', { images: [image('1', 'postgres')] }, []],
  [
    'one that a deploy pulled goes',
    { images: [image('1', 'postgres')], pulled: [reference('1', 'postgres')] },
    [reference('1', 'postgres')],
  ],
  [
    'a tag and its digest go together',
    { images: [image('1', 'postgres', ['postgres:17'])], pulled: ['postgres:17'] },
    ['postgres:17', reference('1', 'postgres')],
  ],
  ['a repository with a longer name is another', { images: [image('1', `${repository}-admin`)] }, []],
]
for (const [name, change, expected] of rows) test(name, () => assert.equal(names(change), expected))

test('of an image that another project built too, and needs, only our name goes', () => {
  const both = { ...image('1'), digests: [reference('1'), reference('1', 'registry:5000/other/web')] }
  const others = [{ ...nothing, images: { z: [reference('1', 'registry:5000/other/web')] } }]
  assert.equal(gone({ images: [both], others }).images, [{ names: [reference('1')], bytes: 0 }])
})

test('a name of somebody else stays, and nothing is freed', () => {
  const { images } = gone({ images: [image('1', repository, ['mine:1'])] })
  assert.equal(images, [{ names: [reference('1')], bytes: 0 }])
})

for (const [name, of] of [
  ['registry:5000/shop/web:1@sha256:ab', 'registry:5000/shop/web'],
  ['registry:5000/shop/web', 'registry:5000/shop/web'],
  ['postgres:17', 'postgres'],
] as const)
  test(`${name} is of ${of}`, () => assert.is(repositoryOf(name), of))

test('whatever is on a host, nothing goes that a container uses or a kept release needs', () => {
  const digests = fc.constantFrom('1', '2', '3', '4', '5')
  const some = fc.uniqueArray(digests)
  fc.assert(
    fc.property(some, some, some, some, fc.integer({ min: 1, max: 3 }), (held, used, released, elsewhere, keep) => {
      const releases = released.map((digest) => [reference(digest)])
      const found = names(
        {
          images: held.map((digest) => image(digest)),
          containers: used.map((digest) => container(digest, { isRunning: true, imageId: `sha256:id-${digest}` })),
          own: { ...nothing, releases },
          others: [{ ...nothing, images: { z: elsewhere.map((digest) => reference(digest)) } }],
        },
        { keep },
      )
      const needed = [...used, ...released.slice(0, keep), ...elsewhere].map((digest) => reference(digest))
      assert.equal(
        found.filter((name) => needed.includes(name)),
        [],
      )
      assert.equal(
        found,
        held.map((digest) => reference(digest)).filter((name) => !needed.includes(name)),
        'and all else does',
      )
    }),
  )
})

test.run()

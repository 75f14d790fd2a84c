/** Images that go to hosts without a registry in between. */
import type { Readable } from 'node:stream'

/** Somewhere an image can be had from: this machine's engine, or a host's. */
export interface ImageShelf {
  /** Digests of its unpacked layers, the lowest first; undefined when it is not there. */
  layers(reference: string): Promise<readonly string[] | undefined>
  /** The image with all its layers, as `docker image save` writes it. What goes wrong later is an error of the stream. */
  save(reference: string, signal: AbortSignal): Promise<Readable>
}

/** An image of a host's engine, with every name it has there. */
export interface NamedImage {
  /** Digest of its configuration, or of its manifest where the engine keeps images in containerd's store. */
  readonly id: string
  /** `repository:tag` */
  readonly tags: readonly string[]
  /** `repository@sha256:…` */
  readonly digests: readonly string[]
}

/** Images in a host's engine. */
export interface HostImages extends ImageShelf {
  /** Images of a repository: one look, shared by all tasks of a run until something is loaded or named. */
  named(repository: string): Promise<readonly NamedImage[]>
  /** Layers of each image there that another of this repository can be put upon, the lowest first. */
  stacks(repository: string): Promise<readonly (readonly string[])[]>
  /** @throws TaskFailure; `missing-output` when the engine lacks layers that were left out. */
  load(part: ImagePart, signal: AbortSignal): Promise<void>
  /** Gives an image another name, taking it from whatever has it. */
  tag(reference: string, name: string): Promise<void>
  /** Takes a name away, and with an image's last name what no other image needs; false when it was in use or gone. */
  untag(name: string): Promise<boolean>
}

/** An image of which some layers are there. */
export interface ImagePart {
  /** Its configuration, byte for byte: its digest is the image. */
  readonly config: Uint8Array
  /** All its layers, the lowest first. */
  readonly layers: readonly { readonly diffId: string; readonly bytes: number }[]
  /** Those that are sent. */
  readonly sent: readonly PackedLayer[]
  /** `repository:tag` */
  readonly names: readonly string[]
}

/** A layer on this machine's disk, gzipped. */
export interface PackedLayer {
  /** Digest of what is packed. */
  readonly diffId: string
  /** Unpacked. */
  readonly bytes: number
  readonly packedBytes: number
  open(): Readable
}

export interface SpoolRequest {
  readonly from: ImageShelf
  readonly reference: string
  /** Digest of the image's configuration. */
  readonly digest: string
  /** All its layers. */
  readonly layers: readonly string[]
  /** Those that are to be sent. */
  readonly wanted: readonly string[]
}

export interface SpooledImage {
  readonly config: Uint8Array
  /** Unpacked sizes of all its layers. */
  readonly sizes: ReadonlyMap<string, number>
  readonly packed: ReadonlyMap<string, PackedLayer>
}

/** Layers on their way: read, checked and packed once in a run, however many hosts they go to. */
export interface ImageSpool {
  /** @throws TaskFailure when the archive is not the image that was asked for. */
  take(request: SpoolRequest, signal: AbortSignal): Promise<SpooledImage>
}

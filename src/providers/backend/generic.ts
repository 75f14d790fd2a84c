import { dockerfileBuild, dockerfileRecipe } from '../dockerfile-build.ts'
import { defineImageProvider } from '../provider.ts'

/** Any backend that a Dockerfile can build. */
export const generic = defineImageProvider({
  role: 'backend',
  id: 'generic',
  summary: 'an image built from a Dockerfile',
  config: dockerfileBuild,
  recipe: dockerfileRecipe,
})

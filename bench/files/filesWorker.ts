import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { Env } from "../../src/entry/app.ts"
import { cacheApplication } from "../../src/entry/cacheApplication.ts"
import { fileService } from "../../src/entry/files/fileService.ts"
import { withHttpCache } from "../../src/entry/http-cache/withHttpCache.ts"
import * as Isolates from "../../src/entry/isolates.ts"
import * as PresignedUrlsAws from "../../src/layers/files/PresignedUrlsAws.ts"

export { CacheDurableObject } from "../../src/entry/CacheDurableObject.ts"

type FilesEnv = Env & { readonly FILES: R2Bucket }

const counts = { classA: 0, classB: 0, free: 0 }

const classOf = (method: string): keyof typeof counts | undefined => {
  if (method === "get" || method === "head") return "classB"
  if (method === "delete") return "free"
  return method === "put" || method === "list" || method === "createMultipartUpload" ? "classA" : undefined
}

/** An upload whose parts and completion are class A operations; its abortion is free. */
const countingUpload = (upload: R2MultipartUpload): R2MultipartUpload => ({
  key: upload.key,
  uploadId: upload.uploadId,
  uploadPart: (...given) => {
    counts.classA += 1
    return upload.uploadPart(...given)
  },
  complete: (...given) => {
    counts.classA += 1
    return upload.complete(...given)
  },
  abort: () => upload.abort()
})

/** The bucket, every operation counted as R2 bills it. */
const counting = (bucket: R2Bucket): R2Bucket =>
  new Proxy(bucket, {
    get: (target, name) => {
      const member = target[name as keyof R2Bucket] as unknown
      if (typeof member !== "function") return member
      return (...given: ReadonlyArray<unknown>) => {
        const kind = classOf(String(name))
        if (kind !== undefined) counts[kind] += 1
        const made = member.apply(target, given) as unknown
        if (name === "resumeMultipartUpload") return countingUpload(made as R2MultipartUpload)
        return name === "createMultipartUpload" ? (made as Promise<R2MultipartUpload>).then(countingUpload) : made
      }
    }
  })

const worker = Isolates.worker([cacheApplication, fileService])
const envs = new WeakMap<FilesEnv, FilesEnv>()
const counted = (env: FilesEnv): FilesEnv => {
  const known = envs.get(env) ?? { ...env, FILES: counting(env.FILES) }
  envs.set(env, known)
  return known
}
const bare = (request: Request, env: FilesEnv, context: ExecutionContext) =>
  worker.fetch(request, counted(env), context)
const cached = withHttpCache<FilesEnv>(bare, { encodeBody: "manual" })

const presigned = PresignedUrlsAws.make(
  {
    endpoint: "https://0123456789abcdef.r2.cloudflarestorage.com",
    bucket: "larder-files",
    accessKeyId: "bench",
    secretAccessKey: Redacted.make("bench-secret")
  },
  Date.now
)

/** `/bench/links/{from}/{number}` signs so many links and counts their characters; `/bench/counts` tells operations. */
export default {
  fetch: async (request, env, context) => {
    const url = new URL(request.url)
    const [, first, what, from, number] = url.pathname.split("/")
    if (first !== "bench") {
      return request.headers.get("X-Cached") === "yes"
        ? cached.fetch(request, env, context)
        : bare(request, env, context)
    }
    if (what === "counts") return Response.json(counts)
    const requests = Array.from({ length: Number(number) }, (_, i) => ({
      method: "GET" as const,
      key: `data/owner/file-${Number(from) + i}.csv`,
      expiresIn: 3600
    }))
    const links = Effect.runSync(presigned.presign(requests))
    return new Response(String(links.reduce((sum, { url }) => sum + url.length, 0)))
  }
} satisfies ExportedHandler<FilesEnv>

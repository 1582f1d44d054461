import { makeRouteClass } from "../../layers/monitoring/internal/routeClass.ts"
import type { RequestSpan } from "../../services/monitoring/FigureExport.ts"

/** Spans that wait for the next export. */
const mostSpans = 500

const traceparent = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/

const sampled = 1

/** Requests as spans, until they are taken: those whose caller traces them, and a share of the others. */
export const make = (random: () => number = Math.random) => {
  const routeClass = makeRouteClass()
  let share = 0
  let spans: Array<RequestSpan> = []
  const id = (): string => crypto.randomUUID().replaceAll("-", "")
  return {
    /** @param next share of requests that begin a trace; 0 for none, and nothing is kept */
    trace: (next: number): void => {
      share = next
    },
    ended: (request: Request, response: Response, millis: number, now: number): void => {
      if (share === 0 || spans.length >= mostSpans) return
      const [, traceId, parentId, flags] = traceparent.exec(request.headers.get("traceparent") ?? "") ?? []
      const isTraced = traceId === undefined ? random() < share : (Number.parseInt(flags!, 16) & sampled) === sampled
      if (!isTraced) return
      spans.push({
        traceId: traceId ?? id(),
        spanId: id().slice(0, 16),
        parentId,
        route: routeClass(request.method, request.url, response.status),
        method: request.method,
        status: response.status,
        tier: /detail=(\w+)/.exec(response.headers.get("Cache-Status") ?? "")?.[1] ?? "-",
        from: now - millis,
        until: now
      })
    },
    take: (): ReadonlyArray<RequestSpan> => {
      const taken = spans
      spans = []
      return taken
    }
  }
}

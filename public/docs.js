// Renders /openapi.json: every operation with a curl line, and a form that sends it.
import { curlOf, partsOf, urlOf } from "./docs-request.js"

const element = (name, properties, ...children) => {
  const made = Object.assign(document.createElement(name), properties)
  made.append(...children)
  return made
}

/** Plain text in which `backticks` mark code. */
const prose = (text = "") =>
  text.split(/(`[^`]*`)/).map((part) => (part.startsWith("`") ? element("code", {}, part.slice(1, -1)) : part))

const paragraph = (text) => (text ? [element("p", { className: "soft" }, ...prose(text))] : [])

/** Scrolls, and therefore can be reached with the keyboard. */
const listing = (text, label) => {
  const made = element("pre", { tabIndex: 0 }, text)
  made.setAttribute("role", "group")
  made.setAttribute("aria-label", label)
  return made
}

const nameOf = (reference) => reference.slice(reference.lastIndexOf("/") + 1)

/** A JSON schema in the notation of TypeScript. */
const notation = (schema, indent = "") => {
  if (schema === undefined || Object.keys(schema).length === 0) return "any JSON"
  if (schema.$ref !== undefined) return nameOf(schema.$ref)
  if (schema.allOf !== undefined) return schema.allOf.map((it) => notation(it, indent)).join(" & ")
  if (schema.anyOf !== undefined) return schema.anyOf.map((it) => notation(it, indent)).join(" | ")
  if (schema.enum !== undefined) return schema.enum.map((it) => JSON.stringify(it)).join(" | ")
  if (schema.type === "array") return `Array<${notation(schema.items, indent)}>`
  if (schema.type === "object" && Object.keys(schema.properties ?? {}).length > 0) {
    const deeper = `${indent}  `
    const members = Object.entries(schema.properties).map(([name, member]) => {
      const optional = (schema.required ?? []).includes(name) ? "" : "?"
      const remark = member.description === undefined ? "" : `  // ${member.description}`
      return `${deeper}${name}${optional}: ${notation(member, deeper)}${remark}`
    })
    return `{\n${members.join("\n")}\n${indent}}`
  }
  if (schema.type === "object") return `{ [name]: ${notation(schema.additionalProperties, indent)} }`
  if (schema.format === "binary") return "bytes"
  const range = [schema.minimum, schema.maximum].every((it) => it !== undefined)
    ? ` from ${schema.minimum} to ${schema.maximum}`
    : ""
  return schema.type === undefined ? "any JSON" : schema.type + range
}

const described = (pairs) =>
  element(
    "dl",
    {},
    ...pairs.flatMap(([term, ...details]) => [
      element("dt", {}, ...term),
      ...details.map((it) => element("dd", {}, ...it))
    ])
  )

const parameterOf = ({ description, in: place, name, required, schema }) => [
  [element("code", {}, name)],
  [`${place}, ${notation(schema)}${required ? "" : ", optional"}${description ? ": " : ""}`, ...prose(description)]
]

const answerOf = ([status, { content = {}, description }]) => {
  const [type, media] = Object.entries(content)[0] ?? []
  const body = type === undefined ? [] : [[element("code", {}, `${type}: ${notation(media.schema)}`)]]
  const example = media?.example === undefined ? [] : [[listing(shown(media.example), `example of ${status}`)]]
  const problems = Object.keys(media?.examples ?? {}).flatMap((name) => [
    " ",
    element("a", { href: `/problems/${name}` }, name)
  ])
  return [[element("code", {}, status)], prose(description), ...(problems.length > 0 ? [problems] : body), ...example]
}

const shown = (example) => (typeof example === "string" ? example : JSON.stringify(example, null, 1))

const keyName = "larder-key"

/** Most characters of an answer that are shown. */
const most = 20_000

/** Reads an answer for a few seconds at most: an event stream has no end. */
const textOf = async (response) => {
  if (response.body === null) return ""
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  const until = setTimeout(() => reader.cancel(), 3000)
  let text = ""
  for (let part = await reader.read(); !part.done && text.length < most; part = await reader.read()) text += part.value
  clearTimeout(until)
  reader.cancel()
  return text.length > most ? `${text.slice(0, most)} …` : text
}

const pretty = (text, type) => {
  try {
    return /\bjson\b/.test(type) ? JSON.stringify(JSON.parse(text), null, 1) : text
  } catch {
    return text
  }
}

const send = async ({ body, headers, method, ...request }, given) => {
  const key = sessionStorage.getItem(keyName)
  const response = await fetch(urlOf(request, given), {
    method,
    headers: { ...headers, ...(key ? { "X-API-KEY": key } : {}) },
    ...(body === undefined ? {} : { body: given.body })
  })
  const text = await textOf(response)
  const told = [...response.headers].map(([name, value]) => `${name}: ${value}`).join("\n")
  return `${response.status} ${response.statusText}\n${told}\n\n${pretty(text, response.headers.get("Content-Type") ?? "")}`
}

/** The fields of a request, its curl line as they stand, and what it is answered. */
const trial = (request) => {
  const given = { path: { ...request.path }, query: { ...request.query }, body: request.body }
  const line = listing(curlOf(request, given), "curl")
  line.className = "curl"
  const answer = listing("", "answer")
  answer.hidden = true
  answer.setAttribute("aria-live", "polite")
  const changed = () => line.replaceChildren(curlOf(request, given))
  const field = (name, kind, value, set) => {
    const input = element(kind, { value, name, spellcheck: false, ...(kind === "textarea" ? { rows: 3 } : {}) })
    input.addEventListener("input", () => {
      set(input.value)
      changed()
    })
    return element("label", {}, name, input)
  }
  const fields = [
    ...["path", "query"].flatMap((place) =>
      Object.entries(given[place]).map(([name, value]) =>
        field(name, "input", value ?? "", (text) => {
          given[place][name] = text
        })
      )
    ),
    ...(given.body === undefined
      ? []
      : [
          field("body", "textarea", given.body, (text) => {
            given.body = text
          })
        ])
  ]
  const form = element("form", {}, ...fields, element("button", { type: "submit" }, "Send"))
  form.addEventListener("submit", async (event) => {
    event.preventDefault()
    answer.hidden = false
    answer.replaceChildren("…")
    answer.replaceChildren(await send(request, given).catch((error) => String(error)))
  })
  return [line, form, answer]
}

const inside = (path, method, operation) => {
  const body = Object.entries(operation.requestBody?.content ?? {})[0]
  const part = (title, ...children) => [element("h3", {}, title), ...children]
  return [
    ...paragraph(operation.description),
    ...(operation.security.length === 0 ? paragraph("Needs no API key.") : []),
    ...part("Try it", ...trial(partsOf(path, method, operation))),
    ...(operation.parameters.length > 0 ? part("Parameters", described(operation.parameters.map(parameterOf))) : []),
    ...(body === undefined ? [] : part(`Body: ${body[0]}`, listing(notation(body[1].schema), "body"))),
    ...part("Answers", described(Object.entries(operation.responses).map(answerOf)))
  ]
}

/** What is inside is made when it is opened first. */
const folded = (id, heading, contents, open = false) => {
  const made = element("details", { id, open }, element("summary", {}, ...heading))
  const fill = () => {
    if (made.open && made.childElementCount === 1) made.append(element("div", { className: "inside" }, ...contents()))
  }
  made.addEventListener("toggle", fill)
  fill()
  return made
}

const operationOf = ({ method, operation, path }) =>
  folded(
    operation.operationId,
    [
      element(
        "span",
        { className: "route" },
        element("span", { className: "method" }, method.toUpperCase()),
        ` ${path}`
      ),
      element("span", { className: "soft" }, ` ${operation.summary ?? ""}`)
    ],
    () => inside(path, method, operation)
  )

const keyForm = ({ description, name }) => {
  const input = element("input", {
    id: "key",
    type: "password",
    autocomplete: "off",
    spellcheck: false,
    value: sessionStorage.getItem(keyName) ?? ""
  })
  input.addEventListener("input", () => sessionStorage.setItem(keyName, input.value))
  return element(
    "form",
    { onsubmit: (event) => event.preventDefault() },
    element("label", { htmlFor: "key" }, "API key, sent in the header ", element("code", {}, name), ". ", description),
    input,
    element("p", { className: "soft" }, "It stays in this tab, until that is closed.")
  )
}

const render = ({ components, info, paths, tags }) => {
  const operations = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method, operation }))
  )
  const groups = tags.map((tag) =>
    folded(
      `tag-${tag.name}`,
      [element("h2", {}, tag.name), element("span", { className: "soft" }, " ", ...prose(tag.description))],
      () => operations.filter(({ operation }) => operation.tags.includes(tag.name)).map(operationOf),
      true
    )
  )
  const schemas = folded("schemas", [element("h2", {}, "Schemas")], () =>
    Object.entries(components.schemas).map(([name, schema]) =>
      folded(`schema-${name}`, [element("code", {}, name)], () => [
        ...paragraph(schema.description),
        listing(notation(schema), name)
      ])
    )
  )
  return [element("p", {}, ...prose(info.description)), keyForm(components.securitySchemes.apiKey), ...groups, schemas]
}

/** Opens what the address names, and all around it. */
const openNamed = () => {
  const named = document.getElementById(decodeURIComponent(location.hash.slice(1)))
  for (let at = named; at !== null; at = at.parentElement) if (at instanceof HTMLDetailsElement) at.open = true
  named?.scrollIntoView()
}

const reference = document.getElementById("reference")
try {
  reference.replaceChildren(...render(await (await fetch("/openapi.json")).json()))
  openNamed()
  addEventListener("hashchange", openNamed)
} catch (error) {
  reference.replaceChildren(element("p", { role: "alert" }, `The reference could not be read: ${error}`))
}

const $ = (id) => document.getElementById(id)
const number = new Intl.NumberFormat("en")
/** Larger files go by parts: a body has at most 100 MiB. */
const wholeBytes = 32 * 1024 * 1024
let cursor

const say = (text) => {
  $("said").textContent = text
}
const path = (name) => `/api/v1/files/${name.split("/").map(encodeURIComponent).join("/")}`

const ask = async (url, init = {}) => {
  const answer = await fetch(url, { ...init, headers: { "X-API-KEY": $("key").value, ...init.headers } })
  if (answer.ok) return answer
  const problem = await answer.json().catch(() => undefined)
  throw new Error(problem ? `${problem.title}: ${problem.detail}` : `status ${answer.status}`)
}
const json = async (url, method, body) =>
  (await ask(url, { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) })).json()

/** Runs what a button stands for, and says what came of it. */
const doing = (work) => async (event) => {
  event.preventDefault()
  try {
    await work(event)
  } catch (error) {
    say(error.message)
  }
}

const cell = (text) => Object.assign(document.createElement("td"), { textContent: text })
const button = (text, work) => {
  const made = Object.assign(document.createElement("button"), { type: "button", textContent: text })
  made.addEventListener("click", doing(work))
  return made
}

const row = (file) => {
  const made = document.createElement("tr")
  made.append(
    Object.assign(document.createElement("th"), { scope: "row", textContent: file.key }),
    cell(number.format(file.bytes)),
    cell(number.format(file.storedBytes)),
    cell(file.bytes === 0 ? "" : `${Math.round(100 * (1 - file.storedBytes / file.bytes))} %`),
    cell(file.expiresAt === null ? "never" : new Date(file.expiresAt).toLocaleString())
  )
  const actions = cell("")
  actions.append(
    button("Share for an hour", async () => {
      const { url } = await json("/api/v1/storage/shares", "POST", { key: file.key, expiresIn: 3600 })
      say(`Anyone can read it for an hour: ${url}`)
    }),
    " ",
    button("Delete", async () => {
      await ask(path(file.key), { method: "DELETE" })
      say(`${file.key} is deleted`)
      await show()
    })
  )
  made.append(actions)
  return made
}

const page = async () => {
  const query = cursor === undefined ? "" : `&cursor=${encodeURIComponent(cursor)}`
  const { cursor: next, files } = await (await ask(`/api/v1/files?limit=100${query}`)).json()
  cursor = next
  $("rows").append(...files.map(row))
  $("more").hidden = next === undefined
}

const show = async () => {
  cursor = undefined
  $("rows").replaceChildren()
  await page()
  const usage = await (await ask("/api/v1/storage/usage")).json()
  const { bytes, objects, quota, storedBytes } = usage
  $("usage").textContent =
    `${number.format(objects)} files, ${number.format(bytes)} bytes of ${number.format(quota.bytes)}, stored as ${number.format(storedBytes)}`
  $("mine").hidden = false
}

const byParts = async (key, file, ttl) => {
  const contentType = file.type || "application/octet-stream"
  const wanted = { key, bytes: file.size, contentType, ...(ttl === "" ? {} : { ttl: Number(ttl) }) }
  const { id, partBytes, parts } = await json("/api/v1/storage/uploads", "POST", wanted)
  for (let part = 1; part <= parts; part++) {
    const body = file.slice((part - 1) * partBytes, part * partBytes)
    await ask(`/api/v1/storage/uploads/${id}/parts/${part}`, { method: "PUT", body })
    $("progress").value = part / parts
  }
  await ask(`/api/v1/storage/uploads/${id}/complete`, { method: "POST" })
}

$("who").addEventListener(
  "submit",
  doing(async () => {
    say("")
    await show()
  })
)
$("more").addEventListener("click", doing(page))
$("upload").addEventListener(
  "submit",
  doing(async () => {
    const [file] = $("file").files
    const key = $("name").value || file.name
    const ttl = $("ttl").value
    $("progress").hidden = false
    $("progress").value = 0
    say(`uploading ${key} …`)
    try {
      if (file.size > wholeBytes) await byParts(key, file, ttl)
      else {
        const headers = { "Content-Type": file.type || "application/octet-stream" }
        await ask(path(key) + (ttl === "" ? "" : `?ttl=${ttl}`), { method: "PUT", body: file, headers })
      }
      say(`${key} is stored`)
      $("of").value = key
      await show()
    } finally {
      $("progress").hidden = true
    }
  })
)
$("part").addEventListener(
  "submit",
  doing(async () => {
    const from = Number($("from").value)
    const headers = { Range: `bytes=${from}-${from + Number($("bytes").value) - 1}` }
    const answer = await ask(path($("of").value), { headers })
    $("shown").textContent = await answer.text()
    $("shown").hidden = false
    say(answer.headers.get("Content-Range") ?? "the whole file")
  })
)

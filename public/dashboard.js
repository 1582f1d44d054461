const $ = (id) => document.getElementById(id)
const storage = "larder-key"
const tiers = ["static", "memory", "edge", "durable", "kv", "loader"]
const colors = { line: "#3d7a9e", other: "#b5651d" }

const count = new Intl.NumberFormat("en", { maximumFractionDigits: 0 })
const usd = new Intl.NumberFormat("en", { style: "currency", currency: "USD", maximumSignificantDigits: 4 })
const percent = new Intl.NumberFormat("en", { style: "percent", maximumFractionDigits: 1 })
const millis = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 })
const shown = {
  count: (value) => count.format(value),
  usd: (value) => usd.format(value),
  percent: (value) => percent.format(value),
  millis: (value) => `${millis.format(value)} ms`
}
const write = (as, value) => (value === null || value === undefined ? "–" : shown[as](value))
const time = (at) => new Date(at).toLocaleString()

const make = (name, attributes = {}, ...children) => {
  const element = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value)
  element.append(...children)
  return element
}

/** The key, which stays in this tab. */
const key = () => sessionStorage.getItem(storage)

class Refused extends Error {}

const ask = async (path, { body, method = body === undefined ? "GET" : "POST" } = {}) => {
  const headers = { "X-API-KEY": key() ?? "" }
  if (body !== undefined) headers["Content-Type"] = "application/json"
  const response = await fetch(path, { method, headers, ...(body && { body: JSON.stringify(body) }) })
  const text = await response.text()
  const json = text === "" ? {} : JSON.parse(text)
  if (!response.ok) throw new Refused(json.detail ?? `${response.status}`)
  return json
}

const table = (id, heads, rows) => {
  const head = make("thead", {}, make("tr", {}, ...heads.map((name) => make("th", { scope: "col" }, name))))
  const cell = (value, index) =>
    index === 0
      ? make("th", { scope: "row" }, value)
      : make("td", typeof value === "object" ? { class: "text" } : {}, value?.text ?? value)
  const body = make("tbody", {}, ...rows.map((row) => make("tr", {}, ...row.map(cell))))
  $(id).replaceChildren(head, body)
}

const at = (tree, path) => path.split(".").reduce((found, name) => found?.[name], tree)

for (const element of document.querySelectorAll(".wide, pre")) element.tabIndex = 0

// The charts: three, each with its figures in words for those who do not see it.

const plots = new Map()

const chart = (name, title, series, points) => {
  const data = [points.map((point) => point.at / 1000), ...series.map(({ of }) => points.map(of))]
  const last = points.at(-1)
  const words = `${title}: ${series.map(({ as, label, of }) => `${label} ${write(as, last && of(last))}`).join(", ")}`
  const known = plots.get(name)
  if (known !== undefined) {
    known.plot.setData(data)
    known.caption.textContent = words
    return
  }
  const caption = make("figcaption", {}, words)
  const place = make("div", { "aria-hidden": "true" })
  $("charts").append(make("figure", {}, caption, place))
  const soft = getComputedStyle(document.documentElement).getPropertyValue("--soft")
  const dark = matchMedia("(prefers-color-scheme: dark)").matches
  const axis = { stroke: dark ? "#b5b0a3" : "#5c584d", grid: { stroke: dark ? "#33322e" : "#e4dfd2" } }
  const plot = new uPlot(
    {
      width: Math.max(240, place.clientWidth),
      height: 180,
      legend: { show: false },
      cursor: { show: false },
      axes: [axis, { ...axis, size: 62, values: (_, values) => values.map((value) => write(series[0].as, value)) }],
      series: [
        {},
        ...series.map(({ label }, index) => ({ label, stroke: Object.values(colors)[index] ?? soft, width: 2 }))
      ]
    },
    data,
    place
  )
  new ResizeObserver(() => plot.setSize({ width: Math.max(240, place.clientWidth), height: 180 })).observe(place)
  plots.set(name, { plot, caption })
}

// What is shown.

let performance

const showPerformance = () => {
  const { byCollection, byRoute, days, isolates, minutes, scope, since, total } = performance
  $("scope").textContent =
    scope === "all"
      ? `All isolates, those that are gone included, since ${time(since)}; ${isolates} alive lately. List prices, included amounts left out.`
      : `In KV mode each isolate counts for itself: this is the one that answered, since ${time(since)}.`
  for (const element of document.querySelectorAll("[data-figure]")) {
    const value = at(performance, element.dataset.figure)
    element.dataset.value = String(value)
    element.textContent = write(element.dataset.as, value)
  }
  const today = new Date().toISOString().slice(0, 10)
  const spentIn = (prefix) =>
    days.filter((day) => new Date(day.at).toISOString().startsWith(prefix)).reduce((all, day) => all + day.usd.spent, 0)
  $("spend-today").textContent = scope === "all" ? write("usd", spentIn(today)) : write("usd", total.usd.spent)
  $("spend-month").textContent = scope === "all" ? write("usd", spentIn(today.slice(0, 7))) : "–"
  $("tiers").replaceChildren(
    ...tiers.map((tier) => {
      const answered = total.answered[tier]
      const share = total.reads === 0 ? 0 : answered / total.reads
      return make(
        "li",
        {},
        make("span", {}, tier),
        make("progress", { max: "1", value: String(share), "aria-label": `Share of reads that ${tier} answered` }),
        make(
          "span",
          { class: "count", "data-tier": tier, "data-value": String(answered) },
          `${count.format(answered)} (${percent.format(share)})`
        )
      )
    })
  )
  chart("hits", "Hit ratio", [{ label: "hits", as: "percent", of: (point) => point.hitRatio }], minutes)
  chart(
    "latency",
    "Latency",
    [
      { label: "p50", as: "millis", of: (point) => point.p50 },
      { label: "p99", as: "millis", of: (point) => point.p99 }
    ],
    minutes
  )
  chart(
    "spend",
    "Dollars a minute",
    [
      { label: "spent", as: "usd", of: (point) => point.usd.spent },
      { label: "as direct KV", as: "usd", of: (point) => point.usd.withoutLarder }
    ],
    minutes
  )
  table(
    "collections",
    ["Collection", "Reads", "Hit ratio", "Writes asked", "KV billed"],
    byCollection.map(({ collection, hitRatio, kv, logical, reads }) => [
      collection,
      write("count", reads),
      write("percent", hitRatio),
      write("count", logical.writes + logical.deletes),
      write("count", kv.reads + kv.writes + kv.deletes + kv.lists)
    ])
  )
  table(
    "routes",
    ["Requests", "Tier", "Count", "p50", "p95", "p99", "Statuses"],
    byRoute.map(({ byStatus, p50, p95, p99, requests, route, tier }) => [
      route,
      { text: tier },
      write("count", requests),
      write("millis", p50),
      write("millis", p95),
      write("millis", p99),
      {
        text: Object.entries(byStatus)
          .map(([status, times]) => `${status}: ${count.format(times)}`)
          .join(", ")
      }
    ])
  )
  showHappened()
}

const showHappened = () => {
  const { bill, crons, problems } = performance
  const { freePlanFirstLimit: limit } = bill
  $("spend-plan").textContent =
    limit === null
      ? "–"
      : `${limit.item}: ${percent.format(limit.used / limit.perDay)} of a day's ${count.format(limit.perDay)}`
  table(
    "crons",
    ["Job", "Done", "Failed", "Last run"],
    crons.map(({ done, failed, job, lastAt }) => [
      job,
      write("count", done),
      write("count", failed),
      { text: lastAt === null ? "–" : time(lastAt) }
    ])
  )
  table(
    "problems",
    ["Kind", "Status", "Times"],
    problems.map(({ count: times, kind, status }) => [
      make("a", { href: `/problems/${kind}` }, kind),
      { text: String(status) },
      write("count", times)
    ])
  )
}

const showLately = async () => {
  const { requests, topKeys } = await ask("/api/v1/monitor/lately")
  table(
    "keys",
    ["Key", "Asked for", "At least"],
    topKeys.map(({ count: times, error, key: name }) => [
      decoded(name),
      write("count", times),
      write("count", times - error)
    ])
  )
  table(
    "requests",
    ["When", "Request", "Status", "Tier", "Took", "Problem"],
    requests.map(({ at: when, method, millis: took, path, problem = "", status, tier }) => [
      time(when),
      { text: `${method} ${decoded(path)}` },
      { text: String(status) },
      { text: tier },
      write("millis", took),
      { text: problem }
    ])
  )
}

const decoded = (path) => {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

const showHealth = async () => {
  const health = await (await fetch("/api/v1/data/health")).json()
  const { cache, performance: done } = health
  $("health").textContent = [
    health.status,
    ...(health.mode === undefined ? [] : [`${health.mode} mode`]),
    ...(health.version === undefined ? [] : [`version ${health.version}`]),
    `${count.format(done.reads)} reads`,
    `${percent.format(cache.hitRatio.memory)} from memory`,
    `${count.format(cache.memory.entries)} entries in memory`
  ].join(" · ")
}

const showStats = async () => {
  const { aliases, shards } = await ask("/api/v1/cache/stats")
  const suggestions = aliases.suggestions.map(({ collection, equal, keys }) =>
    make("li", {}, `${collection}: “${keys[0]}” and “${keys[1]}” held the same value ${equal} times.`)
  )
  $("suggestions").replaceChildren(...(suggestions.length === 0 ? [make("li", {}, "None.")] : suggestions))
  table(
    "shards",
    ["Shard", "Last snapshot", "Entries", "Bytes", "Rows read", "Rows written", "Reads", "Hits", "Conflicts"],
    (shards ?? []).map((shard, index) => [
      `shard ${index}`,
      { text: shard.snapshotAt === undefined ? "none yet" : time(shard.snapshotAt) },
      ...["entries", "bytes", "rowsRead", "rowsWritten", "reads", "hits", "conflicts"].map((name) =>
        write("count", shard[name])
      )
    ])
  )
}

const showAlerts = async () => {
  const { alerts = [], cap } = await ask("/api/v1/monitor/alerts").catch(() => ({}))
  const items = alerts.map(({ message, since }) => make("li", { class: "bad" }, `${message} (since ${time(since)})`))
  $("alerts").replaceChildren(...(items.length === 0 ? [make("li", {}, "None.")] : items))
  if (cap !== undefined && cap !== null) {
    $("spend-cap").textContent = `${write("usd", cap.usd)}, ${cap.state}`
  }
}

const showRecommendations = async () => {
  const { applied, recommendations } = await ask("/api/v1/monitor/recommendations")
  const cards = recommendations.map(({ figure, id, instead, risk, saves, setting, title }) => {
    const apply = make("button", { type: "button" }, `Apply: ${setting?.name} = ${setting?.value}`)
    apply.addEventListener("click", async () => {
      apply.disabled = true
      const reason = `recommendation ${id}, expected $${saves.usdPerMonth.toFixed(6)} a month`
      await change({ [setting.name]: setting.value }, reason)
      await showRecommendations()
    })
    return make(
      "li",
      { "data-recommendation": id },
      make("strong", {}, title),
      make("p", {}, `${figure}.`),
      make(
        "p",
        {},
        `Saves about ${write("usd", saves.usdPerMonth)} and ${write("count", saves.operationsPerMonth)} operations a month.`
      ),
      make("p", { class: "soft" }, risk),
      setting === undefined ? make("p", {}, instead) : apply
    )
  })
  $("recommendations").replaceChildren(
    ...(cards.length === 0 ? [make("li", {}, "None now: there is not enough to go by, or nothing to save.")] : cards)
  )
  $("applied").replaceChildren(
    ...applied.map(({ at: when, expectedUsdPerMonth, id, measuredUsdPerMonth, setting }) =>
      make(
        "p",
        {},
        `${id} (${setting}) was applied ${time(when)}: expected ${write("usd", expectedUsdPerMonth)} a month, ` +
          (measuredUsdPerMonth === null ? "not measured yet." : `measured ${write("usd", measuredUsdPerMonth)}.`)
      )
    )
  )
}

const showDays = async () => {
  const { reports } = await ask("/api/v1/monitor/reports?days=30")
  $("day-text").replaceChildren(
    ...(reports[0]?.text ?? []).map((sentence) =>
      make(
        "li",
        {},
        sentence.replace(/^./, (it) => it.toUpperCase())
      )
    )
  )
  table(
    "days",
    ["Day (UTC)", "Spent", "As direct KV", "Saved", "KV operations", "As direct KV", "Settings changed", "To do"],
    reports.map(({ complete, date, saved, settings: changes, toDo }) => [
      complete ? date : `${date}, until now`,
      write("usd", saved.spent),
      write("usd", saved.withoutLarder),
      write("usd", saved.saved),
      write("count", saved.kvOperations),
      write("count", saved.kvOperationsWithoutLarder),
      { text: changes.map(({ name }) => name).join(", ") },
      { text: toDo.map(({ id }) => id).join(", ") }
    ])
  )
}

let settings = []

const showSettings = async () => {
  const answer = await ask("/api/v1/config")
  settings = answer.settings
  $("bound").textContent =
    `A change reaches every isolate within ${answer.boundSeconds} seconds of its next call to a shard or to KV.`
  const chosen = $("setting-name").value
  $("setting-name").replaceChildren(
    ...settings.filter(({ fixed }) => fixed === undefined).map(({ name }) => make("option", { value: name }, name))
  )
  if (chosen !== "") $("setting-name").value = chosen
  showSetting()
  table(
    "settings",
    ["Setting", "Value", "Default", "Origin", "Range"],
    settings.map(({ default: own, fixed, name, origin, range, value }) => [
      name,
      { text: value },
      { text: own },
      { text: origin },
      { text: fixed ?? range }
    ])
  )
  const { changes } = await ask("/api/v1/config/history")
  table(
    "history",
    ["When", "Setting", "From", "To", "Who", "Why"],
    changes.map(({ at: when, by, from, name, reason = "", to }) => [
      time(when),
      { text: name },
      { text: from ?? "as deployed" },
      { text: to ?? "as deployed" },
      { text: by },
      { text: reason }
    ])
  )
}

const showSetting = () => {
  const setting = settings.find(({ name }) => name === $("setting-name").value)
  if (setting === undefined) return
  $("setting-value").value = setting.value
  $("setting-about").textContent =
    `${setting.documentation} It may be ${setting.range}. Now ${setting.value} (${setting.origin}), default ${setting.default}.`
}

const change = async (values, reason) => {
  await ask("/api/v1/config", { method: "PATCH", body: { settings: values, ...(reason ? { reason } : {}) } })
  await showSettings()
}

// One stream, read by fetch, as an EventSource cannot send the key.

let stream

const follow = async () => {
  stream?.abort()
  const own = new AbortController()
  stream = own
  while (!own.signal.aborted) {
    try {
      const response = await fetch("/api/v1/monitor/stream", {
        headers: { "X-API-KEY": key() ?? "" },
        signal: own.signal
      })
      if (!response.ok) return
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
      let text = ""
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        text += part.value
        const events = text.split("\n\n")
        text = events.pop()
        for (const event of events) {
          if (event.startsWith("data: ")) merge(JSON.parse(event.slice(6)))
        }
      }
    } catch {
      if (own.signal.aborted) return
    }
    await new Promise((resolve) => setTimeout(resolve, 3000))
  }
}

/** News of the stream: the last minutes in place of those known, and today grown by as much as the total. */
const merge = (news) => {
  const first = news.minutes[0]?.at ?? Number.POSITIVE_INFINITY
  const grown = news.total.usd.spent - performance.total.usd.spent
  const days = performance.days.map((day, index, all) =>
    index === all.length - 1 ? { ...day, usd: { ...day.usd, spent: day.usd.spent + grown } } : day
  )
  performance = {
    ...news,
    days,
    minutes: [...performance.minutes.filter((minute) => minute.at < first), ...news.minutes]
  }
  showPerformance()
}

const show = async () => {
  $("refusal").textContent = ""
  if (key() === null) return
  try {
    performance = await ask("/api/v1/monitor/performance")
    $("figures").hidden = false
    $("forget").hidden = false
    showPerformance()
    await Promise.all([showStats(), showSettings(), showRecommendations(), showDays(), showLately(), showAlerts()])
    follow()
  } catch (error) {
    $("figures").hidden = true
    $("refusal").textContent = error instanceof Refused ? error.message : "no answer"
  }
}

// What is done.

const confirmed = (title, text) =>
  new Promise((resolve) => {
    $("confirm-title").textContent = title
    $("confirm-text").textContent = text
    $("confirm").returnValue = "no"
    $("confirm").addEventListener("close", () => resolve($("confirm").returnValue === "yes"), { once: true })
    $("confirm").showModal()
  })

const inWords = (outcome) => JSON.stringify(outcome, null, 2)

const rehearsed = async (path, body, title) => {
  const plan = await ask(path, { body: { ...body, dryRun: true } })
  if (!(await confirmed(title, `A dry run says:\n${inWords(plan)}`))) return { cancelled: true }
  return ask(path, { body: { ...body, dryRun: false } })
}

const operations = {
  flush: async () =>
    (await confirmed(
      "Flush now?",
      "One KV write for each shard that changed since its last snapshot; none for the others."
    ))
      ? ask("/api/v1/admin/flush", { method: "POST" })
      : { cancelled: true },
  restore: async () =>
    (await confirmed(
      "Restore from the newest snapshots?",
      "By version: nothing newer is lost. Each shard reads its snapshot from KV."
    ))
      ? ask("/api/v1/admin/restore", { method: "POST" })
      : { cancelled: true },
  invalidate: async () => {
    const tags = $("tags")
      .value.split(",")
      .map((tag) => tag.trim())
      .filter((tag) => tag !== "")
    return (await confirmed(
      `Invalidate ${tags.join(", ")}?`,
      "Every entry that carries one of them ends, in every tier."
    ))
      ? ask("/api/v1/cache/invalidate", { body: { tags } })
      : { cancelled: true }
  },
  migrate: () => rehearsed("/api/v1/admin/migrate", { to: $("to").value }, "Hand the entries over?"),
  reshard: () =>
    rehearsed("/api/v1/admin/reshard", { shards: Number($("shards-to").value) }, "Change the number of shards?")
}

for (const form of document.querySelectorAll("[data-operation]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault()
    try {
      $("outcome").textContent = inWords(await operations[form.dataset.operation]())
    } catch (error) {
      $("outcome").textContent = error.message
    }
  })
}

$("who").addEventListener("submit", (event) => {
  event.preventDefault()
  sessionStorage.setItem(storage, $("key").value)
  $("key").value = ""
  show()
})

$("forget").addEventListener("click", () => {
  sessionStorage.removeItem(storage)
  stream?.abort()
  $("figures").hidden = true
  $("forget").hidden = true
})

$("explain").addEventListener("submit", async (event) => {
  event.preventDefault()
  const asked = new URLSearchParams({ collection: $("explain-collection").value, key: $("explain-key").value })
  try {
    const { why, ...found } = await ask(`/api/v1/monitor/explain?${asked}`)
    $("explained").replaceChildren(
      make("ul", {}, ...why.map((reason) => make("li", {}, reason))),
      make("pre", { tabindex: "0", "aria-label": "What is known of the key" }, inWords(found))
    )
  } catch (error) {
    $("explained").replaceChildren(make("p", { class: "bad" }, error.message))
  }
})

$("advise").addEventListener("click", async () => {
  try {
    const { advice, statements } = await ask("/api/v1/database/advice")
    const items = advice.map(({ reason, statement, usdSavedPerDay, usdToBuild }) =>
      make(
        "li",
        {},
        make("code", {}, statement),
        make(
          "p",
          {},
          `${reason} Saves about ${write("usd", usdSavedPerDay * 30)} a month and costs ${write("usd", usdToBuild)} once.`
        )
      )
    )
    const none = `Nothing to advise by ${count.format(statements)} statements.`
    $("indexes").replaceChildren(...(items.length === 0 ? [make("li", {}, none)] : items))
  } catch (error) {
    $("indexes").replaceChildren(make("li", {}, error.message))
  }
})

$("requests-again").addEventListener("click", () => showLately().catch(() => undefined))

$("setting-name").addEventListener("change", showSetting)

const settingChange = async (act, done) => {
  try {
    await act()
    $("setting-outcome").textContent = done
  } catch (error) {
    $("setting-outcome").textContent = error.message
  }
}

$("setting").addEventListener("submit", (event) => {
  event.preventDefault()
  const name = $("setting-name").value
  settingChange(() => change({ [name]: $("setting-value").value }, $("setting-reason").value), `${name} is changed.`)
})

$("setting-reset").addEventListener("click", () => {
  const name = $("setting-name").value
  settingChange(async () => {
    await ask(`/api/v1/config/${name}`, { method: "DELETE" })
    await showSettings()
  }, `${name} is reset.`)
})

document.addEventListener("visibilitychange", () => {
  if (document.hidden) stream?.abort()
  else if (performance !== undefined && key() !== null) follow()
})

showHealth().catch(() => {
  $("health").textContent = "no answer"
})
setInterval(() => document.hidden || showHealth().catch(() => undefined), 30_000)
show()

/** Written by `npm run openapi:record`. */
export const answers = {
  "entries.get": {
    status: 200,
    type: "text/plain",
    body: "hello"
  },
  "entries.head": {
    status: 200
  },
  "entries.put": {
    status: 201
  },
  "entries.delete": {
    status: 204
  },
  "cache.stats": {
    status: 200,
    type: "application/json",
    body: {
      readPath: {
        reads: 5,
        stale: 0,
        grace: 0,
        overtaken: 0,
        earlyRefreshes: 0,
        answered: {
          static: 0,
          memory: 4,
          edge: 0,
          durable: 1,
          kv: 0,
          loader: 0
        },
        byCollection: {
          default: {
            static: 0,
            memory: 4,
            edge: 0,
            durable: 1,
            kv: 0,
            loader: 0
          }
        },
        edgeSkipped: 0,
        edgeBreaker: "closed"
      },
      memory: {
        entries: 4,
        bytes: 2526,
        capacityBytes: 50000000,
        hits: 4,
        misses: 1,
        evictions: 0,
        rejections: 0,
        siblings: {
          entries: 0,
          bytes: 0,
          capacityBytes: 2500000,
          offered: 0,
          hits: 0,
          wasted: 0,
          declined: 0
        }
      },
      prefetch: {
        observed: 4,
        sessions: 2,
        ids: 4,
        bytes: 1526304,
        issued: 0,
        used: 0,
        wasted: 0,
        precision: 0,
        coverable: 4,
        covered: 0,
        coverage: 0,
        timeliness: 0,
        carried: 0,
        carriedBytes: 0,
        threshold: 0.6
      },
      aliases: {
        byCollection: {},
        suggestions: []
      },
      static: {
        bytes: 27082,
        capacityBytes: 524288,
        hits: 0,
        misses: 0,
        tables: [
          {
            name: "symbols",
            reads: 0,
            lastReadAt: null
          },
          {
            name: "sectors",
            reads: 0,
            lastReadAt: null
          }
        ],
        derived: [],
        built: 0,
        dropped: 0
      },
      batches: {
        reads: {
          asked: 0,
          deduplicated: 0,
          batches: 0,
          largest: 0
        },
        writes: {
          asked: 0,
          stored: 0,
          coalesced: 0,
          batches: 0,
          largest: 0,
          failed: 0
        }
      },
      buffers: {},
      shards: [
        {
          entries: 3,
          tombstones: 0,
          bytes: 16,
          rowsRead: 29,
          rowsWritten: 15,
          hits: 0,
          reads: 1,
          conflicts: 0
        }
      ],
      repository: {
        undecodable: {}
      },
      byCollection: {
        default: {
          kv: {
            reads: 0,
            writes: 0,
            deletes: 0,
            lists: 0
          },
          kvCalls: {
            reads: 0,
            writes: 0,
            deletes: 0,
            lists: 0
          },
          logical: {
            reads: 5,
            writes: 3,
            deletes: 0,
            lists: 1
          }
        },
        "~": {
          kv: {
            reads: 3,
            writes: 0,
            deletes: 0,
            lists: 1
          },
          kvCalls: {
            reads: 3,
            writes: 0,
            deletes: 0,
            lists: 1
          },
          logical: {
            reads: 0,
            writes: 0,
            deletes: 0,
            lists: 0
          }
        }
      }
    }
  },
  "cache.metadata": {
    status: 200,
    type: "application/json",
    body: {
      collections: [
        {
          name: "default",
          policy: {
            ttlSeconds: "forever",
            memorySeconds: 60,
            edgeSeconds: 30,
            staleSeconds: 0,
            graceSeconds: 0,
            negativeSeconds: 30,
            flushSeconds: 10,
            jitter: 0.1,
            write: "through",
            packed: false,
            compress: false,
            adaptTtl: false,
            undecodable: "load",
            fills: "admitted",
            tags: [],
            alias: []
          }
        },
        {
          name: "static",
          policy: {
            ttlSeconds: "forever",
            memorySeconds: 60,
            edgeSeconds: 30,
            staleSeconds: 0,
            graceSeconds: 0,
            negativeSeconds: 30,
            flushSeconds: 10,
            jitter: 0.1,
            write: "through",
            packed: false,
            compress: false,
            adaptTtl: false,
            undecodable: "load",
            fills: "admitted",
            tags: [],
            alias: []
          }
        }
      ],
      limits: {
        valueBytes: 26214400,
        batchKeys: 1000,
        clearKeys: 900
      }
    }
  },
  "cache.invalidate": {
    status: 200,
    type: "application/json",
    body: {
      tags: ["demo"],
      boundSeconds: 3600
    }
  },
  "cache.batch": {
    status: 200,
    type: "application/json",
    body: {
      set: [
        {
          key: "a",
          status: 201,
          expiresAt: "2026-11-27T23:48:46.014Z"
        },
        {
          key: "b",
          status: 201,
          expiresAt: null
        }
      ],
      get: [
        {
          key: "a",
          status: 200,
          found: true,
          value: {
            n: 1
          },
          contentType: "application/json",
          etag: '"FkVw1hUMWIpLHl7TiSRyGA"',
          expiresAt: "2026-11-27T23:48:46.014Z",
          tier: "memory"
        },
        {
          key: "b",
          status: 200,
          found: true,
          value: "text",
          contentType: "text/plain; charset=utf-8",
          etag: '"EH5jcTEtV1cRp5nuRC64IQ"',
          expiresAt: null,
          tier: "memory"
        }
      ]
    }
  },
  "cache.list": {
    status: 200,
    type: "application/json",
    body: {
      keys: [
        {
          key: "greeting",
          expiresAt: null,
          tags: ["demo"]
        }
      ],
      cursor: null
    }
  },
  "cache.clear": {
    status: 204
  },
  "ledger.report": {
    status: 200,
    type: "application/json",
    body: {
      scope: "isolate",
      since: "2026-11-27T23:47:45.723Z",
      total: {
        kv: {
          reads: 3,
          writes: 0,
          deletes: 0,
          lists: 1
        },
        kvCalls: {
          reads: 3,
          writes: 0,
          deletes: 0,
          lists: 1
        },
        kvRefused: {
          reads: 0,
          writes: 0,
          deletes: 0,
          lists: 0
        },
        edge: {
          matches: 1,
          puts: 5,
          deletes: 0
        },
        durableObject: {
          requests: 8,
          rowsRead: 7,
          rowsWritten: 9
        },
        durableObjectMillis: 129,
        other: {},
        logical: {
          reads: 5,
          writes: 4,
          deletes: 0,
          lists: 1
        }
      },
      byNamespace: {
        CACHE_DO_KV: {
          kv: {
            reads: 3,
            writes: 0,
            deletes: 0,
            lists: 1
          },
          kvCalls: {
            reads: 3,
            writes: 0,
            deletes: 0,
            lists: 1
          }
        }
      },
      byCollection: {
        default: {
          kv: {
            reads: 0,
            writes: 0,
            deletes: 0,
            lists: 0
          },
          kvCalls: {
            reads: 0,
            writes: 0,
            deletes: 0,
            lists: 0
          },
          logical: {
            reads: 5,
            writes: 4,
            deletes: 0,
            lists: 1
          }
        },
        "~": {
          kv: {
            reads: 3,
            writes: 0,
            deletes: 0,
            lists: 1
          },
          kvCalls: {
            reads: 3,
            writes: 0,
            deletes: 0,
            lists: 1
          },
          logical: {
            reads: 0,
            writes: 0,
            deletes: 0,
            lists: 0
          }
        }
      },
      budget: null,
      usd: {
        spent: 0.0000169134,
        withoutLarder: 0.0000275,
        saved: 0.000010586600000000001,
        pricesAsOf: "2026-07-07",
        lines: [
          {
            item: "kvReads",
            count: 3,
            unit: "key",
            usd: 0.0000015,
            counted: true
          },
          {
            item: "kvWrites",
            count: 0,
            unit: "key",
            usd: 0,
            counted: true
          }
        ],
        atRest: 0.011043,
        month: {
          list: 43.8395328,
          plan: 10.9204
        },
        freePlanFirstLimit: {
          item: "kvLists",
          perDay: 1000,
          used: 86400,
          afterHours: 0.2777777777777778
        }
      }
    }
  },
  "monitor.performance": {
    status: 200,
    type: "application/json",
    body: {
      scope: "all",
      since: "2026-11-27T23:47:45.852Z",
      isolates: 1,
      total: {
        requests: 61,
        p50: 7.02879302153477,
        p95: 100.49456770856492,
        p99: 122.74516052679878,
        reads: 43,
        answered: {
          static: 0,
          memory: 12,
          edge: 0,
          durable: 27,
          kv: 0,
          loader: 4
        },
        hitRatio: 0.9069767441860465,
        stale: 0,
        grace: 0,
        errorRatio: 0,
        kv: {
          reads: 10,
          writes: 2,
          deletes: 1,
          lists: 3
        },
        logical: {
          reads: 43,
          writes: 7,
          deletes: 2,
          lists: 4
        },
        durableObject: {
          requests: 54,
          rowsRead: 60,
          rowsWritten: 21
        },
        usd: {
          spent: 0.0001308274,
          withoutLarder: 0.0000865,
          saved: -0.0000443274
        }
      },
      byRoute: [
        {
          route: "POST admin",
          tier: "-",
          byStatus: {
            "200": 7,
            "202": 1
          },
          requests: 8,
          p50: 7.02879302153477,
          p95: 55.15148501578106,
          p99: 55.15148501578106
        },
        {
          route: "GET data",
          tier: "-",
          byStatus: {
            "200": 5
          },
          requests: 5,
          p50: 1.9936617014173446,
          p95: 1.9936617014173446,
          p99: 1.9936617014173446
        }
      ],
      problems: [],
      crons: [],
      bill: {
        month: {
          list: 5.65174368,
          plan: 0.19992
        },
        freePlanFirstLimit: {
          item: "kvLists",
          perDay: 1000,
          used: 4320,
          afterHours: 5.555555555555555
        }
      },
      byCollection: [
        {
          collection: "throttle",
          reads: 10,
          answered: {
            static: 0,
            memory: 0,
            edge: 0,
            durable: 10,
            kv: 0,
            loader: 0
          },
          hitRatio: 1,
          kv: {
            reads: 0,
            writes: 0,
            deletes: 0,
            lists: 0
          },
          kvCalls: {
            reads: 0,
            writes: 0,
            deletes: 0,
            lists: 0
          },
          logical: {
            reads: 10,
            writes: 0,
            deletes: 0,
            lists: 0
          }
        },
        {
          collection: "quotes",
          reads: 6,
          answered: {
            static: 0,
            memory: 2,
            edge: 0,
            durable: 2,
            kv: 0,
            loader: 2
          },
          hitRatio: 0.6666666666666666,
          kv: {
            reads: 0,
            writes: 0,
            deletes: 0,
            lists: 0
          },
          kvCalls: {
            reads: 0,
            writes: 0,
            deletes: 0,
            lists: 0
          },
          logical: {
            reads: 6,
            writes: 0,
            deletes: 0,
            lists: 0
          }
        }
      ],
      minutes: [
        {
          at: 1795823220000,
          requests: 61,
          p50: 7.02879302153477,
          p95: 100.49456770856492,
          p99: 122.74516052679878,
          reads: 43,
          answered: {
            static: 0,
            memory: 12,
            edge: 0,
            durable: 27,
            kv: 0,
            loader: 4
          },
          hitRatio: 0.9069767441860465,
          stale: 0,
          grace: 0,
          errorRatio: 0,
          kv: {
            reads: 10,
            writes: 2,
            deletes: 1,
            lists: 3
          },
          logical: {
            reads: 43,
            writes: 7,
            deletes: 2,
            lists: 4
          },
          durableObject: {
            requests: 54,
            rowsRead: 60,
            rowsWritten: 21
          },
          usd: {
            spent: 0.0001308274,
            withoutLarder: 0.0000865,
            saved: -0.0000443274
          }
        }
      ],
      hours: [
        {
          at: 1795820400000,
          requests: 61,
          p50: 7.02879302153477,
          p95: 100.49456770856492,
          p99: 122.74516052679878,
          reads: 43,
          answered: {
            static: 0,
            memory: 12,
            edge: 0,
            durable: 27,
            kv: 0,
            loader: 4
          },
          hitRatio: 0.9069767441860465,
          stale: 0,
          grace: 0,
          errorRatio: 0,
          kv: {
            reads: 10,
            writes: 2,
            deletes: 1,
            lists: 3
          },
          logical: {
            reads: 43,
            writes: 7,
            deletes: 2,
            lists: 4
          },
          durableObject: {
            requests: 54,
            rowsRead: 60,
            rowsWritten: 21
          },
          usd: {
            spent: 0.0001308274,
            withoutLarder: 0.0000865,
            saved: -0.0000443274
          }
        }
      ],
      days: [
        {
          at: 1795737600000,
          requests: 61,
          p50: 7.02879302153477,
          p95: 100.49456770856492,
          p99: 122.74516052679878,
          reads: 43,
          answered: {
            static: 0,
            memory: 12,
            edge: 0,
            durable: 27,
            kv: 0,
            loader: 4
          },
          hitRatio: 0.9069767441860465,
          stale: 0,
          grace: 0,
          errorRatio: 0,
          kv: {
            reads: 10,
            writes: 2,
            deletes: 1,
            lists: 3
          },
          logical: {
            reads: 43,
            writes: 7,
            deletes: 2,
            lists: 4
          },
          durableObject: {
            requests: 54,
            rowsRead: 60,
            rowsWritten: 21
          },
          usd: {
            spent: 0.0001308274,
            withoutLarder: 0.0000865,
            saved: -0.0000443274
          }
        }
      ]
    }
  },
  "monitor.stream": {
    status: 200,
    type: "text/event-stream",
    body: 'data: {"scope":"all","since":"2026-11-27T23:47:45.852Z","isolates":1,"total":{"requests":62,"p50":7.02879302153477,"p95":89.13032933635913,"p99":122.74516052679878,"reads":43,"answered":{"static":0,"m'
  },
  "monitor.recommendations": {
    status: 200,
    type: "application/json",
    body: {
      recommendations: [],
      applied: []
    }
  },
  "monitor.alerts": {
    status: 200,
    type: "application/json",
    body: {
      alerts: [],
      history: [],
      cap: null
    }
  },
  "monitor.reports": {
    status: 200,
    type: "application/json",
    body: {
      reports: [
        {
          date: "2026-11-27",
          complete: false,
          saved: {
            spent: 0.00013157740000000002,
            withoutLarder: 0.0000865,
            saved: -0.00004507740000000002,
            kvOperations: 16,
            kvOperationsWithoutLarder: 56
          },
          changed: null,
          settings: [
            {
              at: "2026-11-27T23:47:47.764Z",
              name: "MEMORY_BYTES",
              by: "key:9f86d081",
              to: null
            },
            {
              at: "2026-11-27T23:47:47.709Z",
              name: "MEMORY_BYTES",
              by: "key:9f86d081",
              to: "20000000"
            }
          ],
          toDo: [],
          text: [
            "Saved $-0.000045: $0.000132 instead of $0.000087, and 16 KV operations instead of 56.",
            "There is no day before to compare with."
          ]
        }
      ]
    }
  },
  "monitor.lately": {
    status: 200,
    type: "application/json",
    body: {
      requests: [
        {
          at: "2026-11-27T23:47:47.957Z",
          method: "GET",
          path: "/api/v1/monitor/reports",
          status: 200,
          tier: "-",
          millis: 6
        },
        {
          at: "2026-11-27T23:47:47.947Z",
          method: "GET",
          path: "/api/v1/monitor/alerts",
          status: 200,
          tier: "-",
          millis: 4
        }
      ],
      topKeys: [
        {
          key: "default/greeting",
          count: 1,
          error: 0
        }
      ]
    }
  },
  "monitor.explain": {
    status: 200,
    type: "application/json",
    body: {
      collection: "default",
      key: "greeting",
      canonical: "greeting",
      id: "default/greeting",
      object: "shard-0",
      memory: {
        readAt: "2026-11-27T23:47:46.105Z",
        entry: {
          bytes: 5,
          contentType: "text/plain",
          tags: ["demo"],
          writtenAt: "2026-11-27T23:47:46.105Z",
          expiresIn: "for ever"
        }
      },
      stored: {
        bytes: 5,
        contentType: "text/plain",
        tags: ["demo"],
        writtenAt: "2026-11-27T23:47:46.105Z",
        expiresIn: "for ever"
      },
      why: [
        "Memory of this isolate answers it for another 60 s (memoryTtl 60 s).",
        "The edge cache of a location may answer it for up to 30 s."
      ]
    }
  },
  "monitor.metrics": {
    status: 200,
    type: "text/plain; version=0.0.4; charset=utf-8",
    body: '# HELP larder_requests_total Requests that were answered.\n# TYPE larder_requests_total counter\nlarder_requests_total{route="PUT cache",tier="-",status="201"} 2\nlarder_requests_total{route="HEAD cache",tier="memory",status="200"} 1\nlarder_requests_total{route="POST cache",tier="-",status="200"} 2\nlarder_requests_total{route="GET cache",tier="-",status="200"} 3\nlarder_requests_total{route="GET monitor",tier="-",status="200"} 7\nlarder_requests_total{route="GET ledger",tier="-",status="200"} 1\nlarder_requests_total{route="GET data",tier="-",status="200"} 5\n'
  },
  "config.settings": {
    status: 200,
    type: "application/json",
    body: {
      version: 1,
      boundSeconds: 60,
      settings: [
        {
          name: "FEATURE_FLAG_DO_CACHE",
          value: "true",
          default: "true",
          origin: "default",
          range: "`true` or `false` (`on` or `off`)",
          documentation: "Whether Durable Objects keep the entries, or KV itself.",
          fixed: "entries have to be handed over: see the change of mode in docs/deploying.md"
        },
        {
          name: "SHARDS",
          value: "1",
          default: "1",
          origin: "default",
          range: "a whole number from 1 to 64",
          documentation:
            "Durable Objects that share the keys; each serves some hundred requests a second. Only before the first deployment, later [admin/reshard](operations.md#changing-the-number-of-shards).",
          fixed: "keys have to move: POST /api/v1/admin/reshard"
        }
      ]
    }
  },
  "config.change": {
    status: 200,
    type: "application/json",
    body: {
      version: 1,
      boundSeconds: 60,
      settings: [
        {
          name: "FEATURE_FLAG_DO_CACHE",
          value: "true",
          default: "true",
          origin: "default",
          range: "`true` or `false` (`on` or `off`)",
          documentation: "Whether Durable Objects keep the entries, or KV itself.",
          fixed: "entries have to be handed over: see the change of mode in docs/deploying.md"
        },
        {
          name: "SHARDS",
          value: "1",
          default: "1",
          origin: "default",
          range: "a whole number from 1 to 64",
          documentation:
            "Durable Objects that share the keys; each serves some hundred requests a second. Only before the first deployment, later [admin/reshard](operations.md#changing-the-number-of-shards).",
          fixed: "keys have to move: POST /api/v1/admin/reshard"
        }
      ]
    }
  },
  "config.history": {
    status: 200,
    type: "application/json",
    body: {
      changes: [
        {
          at: "2026-11-27T23:47:47.709Z",
          by: "key:9f86d081",
          reason: "more to keep",
          name: "MEMORY_BYTES",
          from: null,
          to: "20000000",
          until: "2026-11-28T00:47:47.708Z"
        }
      ]
    }
  },
  "config.reset": {
    status: 204
  },
  "data.health": {
    status: 200,
    type: "application/json",
    body: {
      status: "ok",
      mode: "durable",
      store: "ok",
      version: "0.1.0",
      bindings: {
        CACHE_KV: "bound",
        CACHE_DO: "bound",
        CACHE_DO_KV: "bound",
        METRICS: "missing: no points in Analytics Engine",
        AI: "missing: a list of words reads headlines",
        FILES: "bound",
        DB: "bound",
        DATABASE_DO: "bound"
      },
      cache: {
        memory: {
          entries: 4,
          bytes: 2526,
          capacityBytes: 50000000,
          hits: 4,
          misses: 1,
          evictions: 0,
          rejections: 0,
          siblings: {
            entries: 0,
            bytes: 0,
            capacityBytes: 2500000,
            offered: 0,
            hits: 0,
            wasted: 0,
            declined: 0
          }
        },
        edge: {
          breaker: "closed",
          skipped: 0
        },
        hitRatio: {
          memory: 0.8,
          edge: 0,
          durable: 0.2
        }
      },
      performance: {
        reads: 5,
        staleReads: 0,
        graceReads: 0,
        kv: {
          reads: 3,
          writes: 0,
          deletes: 0,
          lists: 1
        },
        withoutLarder: {
          reads: 5,
          writes: 4,
          deletes: 0,
          lists: 1
        },
        usdSaved: 0.000010586600000000001
      }
    }
  },
  "data.bindings": {
    status: 200,
    type: "application/json",
    body: {
      status: "ok",
      data: {
        critical_bindings_status: {
          CACHE_KV: "ok",
          CACHE_DO: "ok"
        },
        kv_self_test: {
          ok: true,
          write: "ok",
          read: "ok",
          delete: "ok",
          sawItsWrite: true,
          testedAt: "2026-11-27T23:47:46.151Z"
        }
      }
    }
  },
  "static.symbols": {
    status: 200,
    type: "application/json",
    body: {
      version: "27faee15",
      symbols: [
        {
          symbol: "AAPL",
          name: "Apple",
          exchange: "XNAS",
          sector: "information-technology",
          kind: "stock",
          currency: "USD"
        },
        {
          symbol: "MSFT",
          name: "Microsoft",
          exchange: "XNAS",
          sector: "information-technology",
          kind: "stock",
          currency: "USD"
        }
      ]
    }
  },
  "static.symbol": {
    status: 200,
    type: "application/json",
    body: {
      symbol: "AAPL",
      name: "Apple",
      exchange: "XNAS",
      sector: "information-technology",
      kind: "stock",
      currency: "USD"
    }
  },
  "static.table": {
    status: 200,
    type: "application/json",
    body: {
      name: "sectors",
      version: "e2acb12a",
      rows: [
        {
          id: "energy",
          name: "Energy",
          gics: "10",
          etf: "XLE"
        },
        {
          id: "materials",
          name: "Materials",
          gics: "15",
          etf: "XLB"
        }
      ]
    }
  },
  "admin.flush": {
    status: 200,
    type: "application/json",
    body: {
      flushed: 1
    }
  },
  "admin.restore": {
    status: 200,
    type: "application/json",
    body: {
      taken: 0
    }
  },
  "admin.migrate": {
    status: 200,
    type: "application/json",
    body: {
      to: "durable",
      from: "kv",
      dryRun: true,
      entries: 0,
      copied: 0,
      dropped: 0,
      refused: 0,
      settled: true,
      billed: {
        kv: {
          reads: 0,
          writes: 0,
          deletes: 0,
          lists: 1
        },
        durableObject: {
          requests: 4,
          rowsRead: 27,
          rowsWritten: 0
        }
      },
      usd: 0.0000056270000000000005,
      complete: true,
      cursor: null
    }
  },
  "admin.reshard": {
    status: 202,
    type: "application/json",
    body: {
      from: 1,
      to: 2,
      dryRun: true,
      moved: 0,
      left: 11,
      billed: {
        kv: {
          reads: 3,
          writes: 6,
          deletes: 0,
          lists: 0
        },
        durableObject: {
          requests: 18,
          rowsRead: 55,
          rowsWritten: 46
        }
      },
      usd: 0.000080255,
      complete: false
    }
  },
  "admin.flushBuffered": {
    status: 200,
    type: "application/json",
    body: {
      flushed: 0,
      kept: 0
    }
  },
  "admin.prefetch": {
    status: 200,
    type: "application/json",
    body: {
      loaded: false,
      saving: "unchanged",
      warmed: 0
    }
  },
  "sectors.snapshot": {
    status: 200,
    type: "application/json",
    body: {
      asOf: "2026-11-27",
      source: "sample",
      sectors: [
        {
          id: "energy",
          name: "Energy",
          etf: "XLE",
          weight: 0.0786439524532448,
          returns: {
            "1d": -0.0033269416688648853,
            "1w": -0.001522196304039187,
            "1m": 0.017744564373089498,
            "3m": 0.09336368737497812,
            "6m": 0.23539553818668998,
            "1y": 0.49712897436484416
          },
          volatility: 0.23877441386671122,
          breadth: 1,
          momentum: 0.47142663970238946,
          relativeStrength: 0.12691056041265636,
          quadrant: "weakening",
          rotation: {
            strength: 1.047272498285427,
            momentum: 0.994909025969244
          }
        },
        {
          id: "materials",
          name: "Materials",
          etf: "XLB",
          weight: 0.05115614071112399,
          returns: {
            "1d": -0.005977134356298194,
            "1w": 0.005882171365438006,
            "1m": 0.06325554791435047,
            "3m": -0.04288739876175369,
            "6m": 0.07498277774798424,
            "1y": 0.10998868242735155
          },
          volatility: 0.23957962771980898,
          breadth: 0.75,
          momentum: 0.042850665971705115,
          relativeStrength: -0.013521017486014864,
          quadrant: "leading",
          rotation: {
            strength: 1.013920595037812,
            momentum: 1.0089652272584968
          }
        }
      ],
      correlation: [
        [1, 0.7277200860610911],
        [0.7277200860610911, 1]
      ],
      drivers: {
        move: -0.000928963008816475,
        market: -0.00487741432008848,
        sectors: [
          {
            id: "consumer-discretionary",
            contribution: -0.0016908782500650512
          },
          {
            id: "industrials",
            contribution: 0.0013763908051543294
          }
        ],
        symbols: [
          {
            symbol: "NVDA",
            sector: "information-technology",
            change: 0.04327868852459016,
            contribution: 0.0014114408997572122
          },
          {
            symbol: "NKE",
            sector: "consumer-discretionary",
            change: -0.02554227025369815,
            contribution: -0.0008504348591702802
          }
        ]
      }
    }
  },
  "market.quotes": {
    status: 200,
    type: "application/json",
    body: {
      asOf: "2026-11-27T23:47:46.267Z",
      quotes: [
        {
          symbol: "AAPL",
          price: 211.89,
          currency: "USD",
          at: "2026-11-27T18:00:00.000Z",
          previousClose: 210.04,
          change: 0.008808,
          open: 210.38,
          high: 212.93,
          low: 207.96,
          volume: 30029049,
          source: "sample",
          stale: false
        },
        {
          symbol: "MSFT",
          price: 443.47,
          currency: "USD",
          at: "2026-11-27T18:00:00.000Z",
          previousClose: 443.62,
          change: -0.000338,
          open: 439.92,
          high: 443.81,
          low: 436.42,
          volume: 74491328,
          source: "sample",
          stale: false
        }
      ],
      unavailable: []
    }
  },
  "market.stream": {
    status: 200,
    type: "text/event-stream",
    body: 'retry: 3000\n\nid: 335d5b7f\nevent: quote\ndata: {"symbol":"AAPL","price":211.89,"currency":"USD","previousClose":210.04,"open":210.38,"high":212.93,"low":207.96,"volume":30029049,"source":"sample","at":"2026-11-27T18:00:00.000Z","change":0.008808,"stale":false}\n\nid: 8b99342a\nevent: quote\ndata: {"symbol":"MSFT","price":443.47,"currency":"USD","previousClose":443.62,"open":439.92,"high":443.81,"low":436.42,"volume":74491328,"source":"sample","at":"2026-11-27T18:00:00.000Z","change":-0.000338,"stale":false}\n\n'
  },
  "market.sentiment": {
    status: 200,
    type: "application/json",
    body: {
      analyses: [
        {
          symbol: "AAPL",
          at: "2026-11-27T23:47:46.318Z",
          score: -0.10835365279823925,
          label: "negative",
          confidence: 0.08482081471196966,
          method: "lexicon",
          source: "sample",
          stale: false,
          headlines: [
            {
              title: "Apple misses estimates as demand slows",
              publishedAt: "2026-11-27T17:34:55.314Z",
              score: -0.7905694150420948,
              label: "negative"
            },
            {
              title: "Apple plans layoffs in restructuring",
              publishedAt: "2026-11-27T04:13:55.164Z",
              score: -0.25,
              label: "negative"
            }
          ]
        }
      ],
      unavailable: []
    }
  },
  "market.score": {
    status: 200,
    type: "application/json",
    body: {
      score: -0.237554670416088,
      label: "negative",
      confidence: 0.12116589641764126,
      method: "lexicon",
      headlines: [
        {
          score: 0.6123724356957946,
          label: "positive",
          confidence: 0.5,
          method: "lexicon"
        },
        {
          score: -0.875,
          label: "negative",
          confidence: 0.6666666666666666,
          method: "lexicon"
        }
      ]
    }
  },
  "market.signals": {
    status: 200,
    type: "application/json",
    body: {
      since: "2026-10-28",
      signals: []
    }
  },
  "market.report": {
    status: 200,
    type: "application/json",
    body: {
      date: "2026-11-27",
      publishedAt: "2026-11-27T23:47:46.547Z",
      earlyClose: true,
      summary:
        "SPY closed at 306.04 (-0.49 %); 27 of 60 stocks rose. Industrials led (+0.98 %), Consumer Discretionary trailed (-1.69 %). 0 new signals.",
      market: {
        symbol: "SPY",
        close: 306.04,
        change: -0.00487741432008848
      },
      breadth: {
        up: 27,
        down: 33,
        unchanged: 0
      },
      sectors: [
        {
          id: "industrials",
          name: "Industrials",
          etf: "XLI",
          change: 0.009836215573245433
        },
        {
          id: "communication-services",
          name: "Communication Services",
          etf: "XLC",
          change: 0.006030359742150049
        }
      ],
      movers: {
        up: [
          {
            symbol: "NVDA",
            close: 79.55,
            change: 0.04327868852459016
          },
          {
            symbol: "CAT",
            close: 299.9,
            change: 0.029416812549342586
          }
        ],
        down: [
          {
            symbol: "AMZN",
            close: 465.84,
            change: -0.03468854904886243
          },
          {
            symbol: "NKE",
            close: 508.55,
            change: -0.02554227025369815
          }
        ]
      },
      sentiment: {
        score: 0.3715217406724366,
        label: "positive",
        confidence: 0.1590029551037108
      },
      signals: [],
      tracking: {
        judged: 0,
        right: 0,
        outcomes: []
      },
      missing: []
    }
  },
  "market.publish": {
    status: 200,
    type: "application/json",
    body: {
      published: true,
      report: {
        date: "2026-11-27",
        publishedAt: "2026-11-27T23:47:46.547Z",
        earlyClose: true,
        summary:
          "SPY closed at 306.04 (-0.49 %); 27 of 60 stocks rose. Industrials led (+0.98 %), Consumer Discretionary trailed (-1.69 %). 0 new signals.",
        market: {
          symbol: "SPY",
          close: 306.04,
          change: -0.00487741432008848
        },
        breadth: {
          up: 27,
          down: 33,
          unchanged: 0
        },
        sectors: [
          {
            id: "industrials",
            name: "Industrials",
            etf: "XLI",
            change: 0.009836215573245433
          },
          {
            id: "communication-services",
            name: "Communication Services",
            etf: "XLC",
            change: 0.006030359742150049
          }
        ],
        movers: {
          up: [
            {
              symbol: "NVDA",
              close: 79.55,
              change: 0.04327868852459016
            },
            {
              symbol: "CAT",
              close: 299.9,
              change: 0.029416812549342586
            }
          ],
          down: [
            {
              symbol: "AMZN",
              close: 465.84,
              change: -0.03468854904886243
            },
            {
              symbol: "NKE",
              close: 508.55,
              change: -0.02554227025369815
            }
          ]
        },
        sentiment: {
          score: 0.3715217406724366,
          label: "positive",
          confidence: 0.1590029551037108
        },
        signals: [],
        tracking: {
          judged: 0,
          right: 0,
          outcomes: []
        },
        missing: []
      }
    }
  },
  "alerts.list": {
    status: 200,
    type: "application/json",
    body: {
      alerts: [
        {
          id: "97bb4567-8548-437b-b13f-69e9dedb228c",
          symbol: "AAPL",
          condition: {
            kind: "price-above",
            price: 250
          },
          cooldownSeconds: 3600,
          hysteresisPercent: 0.5,
          enabled: true,
          webhook: "https://example.com/hook",
          webhookGoneAt: null,
          createdAt: "2026-11-27T23:47:46.715Z",
          state: null
        }
      ],
      throttle: {
        scope: "shared",
        blocked: []
      }
    }
  },
  "alerts.create": {
    status: 201,
    type: "application/json",
    body: {
      id: "97bb4567-8548-437b-b13f-69e9dedb228c",
      cooldownSeconds: 3600,
      hysteresisPercent: 0.5,
      enabled: true,
      symbol: "AAPL",
      condition: {
        kind: "price-above",
        price: 250
      },
      webhook: "https://example.com/hook",
      webhookGoneAt: null,
      createdAt: "2026-11-27T23:47:46.715Z",
      state: null
    }
  },
  "alerts.deadLetters": {
    status: 200,
    type: "application/json",
    body: {
      deadLetters: [
        {
          key: "2026-11-25-abc",
          alert: "abc",
          target: "https://example.com",
          body: '{"type":"price-alert","symbol":"AAPL","price":251.3}',
          reason: "it answered 500",
          attempts: 5,
          firedAt: "2026-11-25T15:05:00.000Z",
          givenUpAt: "2026-11-25T19:05:00.000Z"
        }
      ],
      cursor: null
    }
  },
  "alerts.resend": {
    status: 200,
    type: "application/json",
    body: {
      key: "2026-11-25-abc",
      alert: "abc",
      target: "https://example.com",
      body: '{"type":"price-alert","symbol":"AAPL","price":251.3}',
      reason: "it answered 500",
      attempts: 5,
      firedAt: "2026-11-25T15:05:00.000Z",
      givenUpAt: "2026-11-25T19:05:00.000Z"
    }
  },
  "alerts.get": {
    status: 200,
    type: "application/json",
    body: {
      id: "97bb4567-8548-437b-b13f-69e9dedb228c",
      symbol: "AAPL",
      condition: {
        kind: "price-above",
        price: 250
      },
      cooldownSeconds: 3600,
      hysteresisPercent: 0.5,
      enabled: true,
      webhook: "https://example.com/hook",
      webhookGoneAt: null,
      createdAt: "2026-11-27T23:47:46.715Z",
      state: null
    }
  },
  "alerts.remove": {
    status: 204
  },
  "alerts.sweep": {
    status: 200,
    type: "application/json",
    body: {
      at: "2026-11-27T23:47:46.759Z",
      rules: 0,
      evaluated: 0,
      fired: 0,
      written: 0,
      notWritten: 0,
      delivered: 0,
      waiting: 0,
      deadLettered: 0
    }
  },
  "database.statements": {
    status: 200,
    type: "application/json",
    body: {
      statements: [
        {
          sql: "WITH wanted AS ( SELECT value ->> ? AS id, value ->> ? AS key, value ->> ? AS kind, value ->> ? AS bytes, value ->> ? AS content_type, value ->> ? AS upload_id, value ->> ? AS file_expires_at, value -",
          calls: 3,
          cacheHits: 0,
          rowsRead: 34,
          rowsReturned: 0,
          rowsWritten: 9,
          rowsSaved: 0,
          millis: 0,
          usd: 0.000009034
        },
        {
          sql: "SELECT * FROM uploads WHERE id = ? AND owner = ?",
          calls: 4,
          cacheHits: 0,
          rowsRead: 4,
          rowsReturned: 4,
          rowsWritten: 0,
          rowsSaved: 0,
          millis: 0,
          usd: 4e-9
        }
      ]
    }
  },
  "database.advice": {
    status: 200,
    type: "application/json",
    body: {
      since: "2026-11-27T23:47:46.766Z",
      statements: 32,
      advice: []
    }
  },
  "files.list": {
    status: 200,
    type: "application/json",
    body: {
      files: [
        {
          key: "hello.txt",
          bytes: 5,
          storedBytes: 5,
          contentType: "text/plain",
          etag: '"5d41402abc4b2a76b9719d911017c592"',
          updatedAt: "2026-11-27T23:47:46.856Z",
          expiresAt: null
        }
      ]
    }
  },
  "files.read": {
    status: 200,
    type: "text/plain",
    body: "hello"
  },
  "files.put": {
    status: 201
  },
  "files.delete": {
    status: 204
  },
  "files.presign": {
    status: 200,
    type: "application/json",
    body: {
      links: [
        {
          method: "GET",
          key: "hello.txt",
          url: "https://0123456789abcdef0123456789abcdef.r2.cloudflarestorage.com/larder-files/data/9f86d081884c7d659a2feaa0c55ad015/hello.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=example%2F20261127%2Fauto%2Fs3%2Faws4_request&X-Amz-Date=20261127T234746Z&X-Amz-Expires=4501&X-Amz-SignedHeaders=host&X-Amz-Signature=f5deb1240b0afc9afa2579dbfbf33e4c4d5684b12e8b2703218bddd926609903",
          expiresAt: "2026-11-28T01:02:47.000Z"
        }
      ]
    }
  },
  "storage.startUpload": {
    status: 201,
    type: "application/json",
    body: {
      id: "70916a8b-c754-4f62-8f02-f63c931e449f",
      key: "parts.bin",
      bytes: 21,
      partBytes: 8388608,
      parts: 1,
      received: [],
      expiresAt: "2026-12-04T23:47:47.183Z"
    }
  },
  "storage.upload": {
    status: 200,
    type: "application/json",
    body: {
      id: "f6eeeb54-7c39-45b4-9947-a43df4456a90",
      key: "parts.bin",
      bytes: 21,
      partBytes: 8388608,
      parts: 1,
      received: [1],
      expiresAt: "2026-12-04T23:47:47.024Z"
    }
  },
  "storage.abortUpload": {
    status: 204
  },
  "storage.part": {
    status: 204
  },
  "storage.completeUpload": {
    status: 200,
    type: "application/json",
    body: {
      key: "parts.bin",
      bytes: 21,
      storedBytes: 21,
      contentType: "application/octet-stream",
      etag: '"7c028f2f373106a01ac763a01e57aad5-1"',
      updatedAt: "2026-11-27T23:47:47.155Z",
      expiresAt: null
    }
  },
  "storage.share": {
    status: 201,
    type: "application/json",
    body: {
      id: "9ef5e9ca0af0ca2c3705c6cc08e212770ea83beb20184670a2de4186f37e4100",
      key: "hello.txt",
      createdAt: "2026-11-27T23:47:46.934Z",
      expiresAt: "2026-11-28T00:47:46.934Z",
      url: "https://larder.example/s/m4Nf4nMPGXqEgCBB31MKxzIdb2IltJSK"
    }
  },
  "storage.shares": {
    status: 200,
    type: "application/json",
    body: {
      shares: [
        {
          id: "9ef5e9ca0af0ca2c3705c6cc08e212770ea83beb20184670a2de4186f37e4100",
          key: "hello.txt",
          createdAt: "2026-11-27T23:47:46.934Z",
          expiresAt: "2026-11-28T00:47:46.934Z"
        }
      ]
    }
  },
  "storage.withdraw": {
    status: 204
  },
  "storage.users": {
    status: 200,
    type: "application/json",
    body: {
      owner: "9f86d081884c7d659a2feaa0c55ad015",
      users: [
        {
          id: "dfc42b5169264b0614a973f3460a90a2",
          name: "Ada",
          createdAt: "2026-11-27T23:47:47.251Z"
        }
      ]
    }
  },
  "storage.addUser": {
    status: 201,
    type: "application/json",
    body: {
      id: "dfc42b5169264b0614a973f3460a90a2",
      name: "Ada",
      createdAt: "2026-11-27T23:47:47.251Z"
    }
  },
  "storage.removeUser": {
    status: 204
  },
  "storage.usage": {
    status: 200,
    type: "application/json",
    body: {
      bytes: 26,
      storedBytes: 26,
      objects: 2,
      reservedBytes: 0,
      requestsToday: 100,
      quota: {
        bytes: 10737418240,
        objects: 100000,
        requestsPerDay: 1000000
      },
      hours: [
        {
          hour: "2026-11-27T23:00:00.000Z",
          requests: 18,
          bytesIn: 26,
          bytesOut: 10
        }
      ]
    }
  },
  "storage.audit": {
    status: 200,
    type: "application/json",
    body: {
      audit: [
        {
          at: "2026-11-27T23:47:47.162Z",
          action: "parts",
          key: "parts.bin",
          bytes: 21
        },
        {
          at: "2026-11-27T23:47:46.934Z",
          action: "share",
          key: "hello.txt",
          bytes: null
        }
      ]
    }
  },
  "storage.shared": {
    status: 200,
    type: "text/plain",
    body: "hello"
  }
}
